package script

import (
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// resources alters and describes what is configured beside topics and brokers: loggers, groups, client metrics.
func resources(r *run) {
	logLevels(r)
	groupConfigs(r)
	clientMetrics(r)
}

// alters plays an IncrementalAlterConfigs of one resource: key, value, key, value; a value of "-" deletes.
func (r *run) alters(name string, kind kmsg.ConfigResourceType, resource string, entries ...string) {
	var all []change
	for i := 0; i < len(entries); i += 2 {
		ch := change{opSet, entries[i], &entries[i+1]}
		if entries[i+1] == "-" {
			ch = change{opDelete, entries[i], nil}
		}
		all = append(all, ch)
	}
	r.do(name, incrementalAlterConfigsRequest(kind, resource, all...))
}

// described plays a DescribeConfigs of some keys, with synonyms.
func (r *run) described(name string, kind kmsg.ConfigResourceType, resource string, keys ...string) {
	r.barrier()
	req := describeConfigsRequest(kind, resource, keys...)
	req.IncludeSynonyms = true
	r.at(broker, 4, name, req)
}

// logLevels uses the root alone: the other loggers are each node's own.
func logLevels(r *run) {
	node := strconv.Itoa(int(r.target.NodeID))
	for _, level := range []string{"FATAL", "WARN", "ERROR"} {
		r.alters("root "+level, typeBrokerLogger, node, "root", level)
		r.described("root "+level+": afterwards", typeBrokerLogger, node, "root")
	}
	for _, level := range []string{"warn", "", "OFF", "ALL", " WARN"} {
		r.alters("root level '"+level+"'", typeBrokerLogger, node, "root", level)
	}
	r.alters("root deleted", typeBrokerLogger, node, "root", "-")
	r.alters("unknown logger", typeBrokerLogger, node, "no.such.logger", "WARN")
	r.alters("unknown logger and level", typeBrokerLogger, node, "no.such.logger", "LOUD")
	r.alters("unknown logger deleted", typeBrokerLogger, node, "no.such.logger", "-")
	r.alters("empty logger", typeBrokerLogger, node, "", "WARN")
	r.alters("good and bad", typeBrokerLogger, node, "root", "WARN", "no.such.logger", "WARN")
	r.described("good and bad: afterwards", typeBrokerLogger, node, "root")
	r.alters("no change", typeBrokerLogger, node)
	r.alters("the same twice", typeBrokerLogger, node, "root", "WARN", "root", "ERROR")
	r.do("append", incrementalAlterConfigsRequest(typeBrokerLogger, node, change{opAppend, "root", ptr("WARN")}))
	r.do("subtract", incrementalAlterConfigsRequest(typeBrokerLogger, node, change{opSubtract, "root", ptr("WARN")}))
	r.do("null level", incrementalAlterConfigsRequest(typeBrokerLogger, node, change{opSet, "root", nil}))
	dry := incrementalAlterConfigsRequest(typeBrokerLogger, node, change{opSet, "root", ptr("WARN")})
	dry.ValidateOnly = true
	r.do("validate only", dry)
	r.described("validate only: afterwards", typeBrokerLogger, node, "root", "no.such.logger")
	r.alters("no node", typeBrokerLogger, "", "root", "WARN")
	r.alters("no number", typeBrokerLogger, "x", "root", "WARN")
	r.alters("another node", typeBrokerLogger, "77", "root", "WARN")
	r.described("describe: no node", typeBrokerLogger, "")
	r.described("describe: no number", typeBrokerLogger, "x")
	r.described("describe: another node", typeBrokerLogger, "77")
	r.described("describe: unknown logger", typeBrokerLogger, node, "no.such.logger")
}

func groupConfigs(r *run) {
	g := func(name string, entries ...string) { r.alters("group: "+name, typeGroup, "g-1", entries...) }
	g("two of a kind", "consumer.session.timeout.ms", "50000", "consumer.heartbeat.interval.ms", "6000")
	g("one of each kind", "share.isolation.level", "read_committed", "streams.num.standby.replicas", "1", "share.auto.offset.reset", "by_duration:PT1H")
	r.described("group: afterwards", typeGroup, "g-1")
	g("too many standbys", "streams.num.standby.replicas", "3")
	g("below the least", "consumer.session.timeout.ms", "299")
	g("above the most", "consumer.session.timeout.ms", "60001")
	g("not a number", "consumer.session.timeout.ms", "x")
	g("internal key, too many", "streams.num.warmup.replicas", "21")
	g("internal key, too few", "streams.task.offset.interval.ms", "14999")
	g("internal key", "streams.num.warmup.replicas", "3")
	g("a tag twice", "streams.rack.aware.assignment.tags", "a,a")
	g("a tag twice, with blanks", "streams.rack.aware.assignment.tags", "a, a", "consumer.session.timeout.ms", "x")
	g("a tag twice and an unknown key", "streams.rack.aware.assignment.tags", "a,a", "no.such.key", "1")
	g("unknown assignor", "streams.assignor.name", "none")
	g("reserved topic", "errors.deadletterqueue.topic.name", "__x")
	r.do("group: append to a list", incrementalAlterConfigsRequest(typeGroup, "g-1", change{opAppend, "streams.rack.aware.assignment.tags", ptr("zone")}))
	r.do("group: append to a number", incrementalAlterConfigsRequest(typeGroup, "g-1", change{opAppend, "consumer.session.timeout.ms", ptr("1")}))
	r.do("group: null", incrementalAlterConfigsRequest(typeGroup, "g-1", change{opSet, "consumer.session.timeout.ms", nil}))
	r.described("group: in the end", typeGroup, "g-1")
	g("deleted", "consumer.session.timeout.ms", "-", "consumer.heartbeat.interval.ms", "-", "share.isolation.level", "-", "streams.num.standby.replicas", "-",
		"share.auto.offset.reset", "-", "streams.num.warmup.replicas", "-", "streams.rack.aware.assignment.tags", "-")
	r.described("group: deleted, afterwards", typeGroup, "g-1", "consumer.session.timeout.ms", "share.isolation.level")
}

func clientMetrics(r *run) {
	m := func(name string, entries ...string) { r.alters("metrics: "+name, typeClientMetrics, "sub", entries...) }
	m("all keys", "metrics", "org.apache.kafka.producer.,org.apache.kafka.consumer.", "interval.ms", "100", "match", "client_id=app-.*,client_software_name=x")
	r.described("metrics: afterwards", typeClientMetrics, "sub")
	for _, match := range []string{
		"client_id=[", "client_id", "client_id=a=b", "no_such=x", "client_id=", "=x", "client_instance_id=b69cc35a-7a54-4790-aa69-cc2bd4ee4538", "client_source_port=9.*",
		"client_source_address=::1", "client_software_version=3\\.5", "a=b,client_id=x", "client_id=x,", "*", "",
	} {
		m("match '"+match+"'", "match", match)
	}
	for _, metrics := range []string{"*", "", "a,b", "a,,b", " a , b ", "a,a"} {
		m("metrics '"+metrics+"'", "metrics", metrics)
	}
	for _, interval := range []string{"99", "100", "3600000", "3600001", "-1", "x", "1e3"} {
		m("interval '"+interval+"'", "interval.ms", interval)
	}
	r.do("metrics: append", incrementalAlterConfigsRequest(typeClientMetrics, "sub", change{opAppend, "metrics", ptr("c")}))
	m("bad interval and bad match", "interval.ms", "1", "match", "x")
	m("unknown key and bad match", "no.such", "1", "match", "x")
	list := kmsg.NewPtrListConfigResourcesRequest()
	list.ResourceTypes = []int8{16}
	r.barrier()
	r.at(broker, 1, "metrics: listed", list)
	r.described("metrics: in the end", typeClientMetrics, "sub")
	m("deleted", "metrics", "-", "interval.ms", "-", "match", "-")
	r.barrier()
	r.at(broker, 1, "metrics: deleted, listed", list)
}
