package script

import (
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The operations on one key.
const (
	opSet      = kmsg.IncrementalAlterConfigOpSet
	opDelete   = kmsg.IncrementalAlterConfigOpDelete
	opAppend   = kmsg.IncrementalAlterConfigOpAppend
	opSubtract = kmsg.IncrementalAlterConfigOpSubtract
)

// change is one key's change; a nil value is sent as null.
type change struct {
	op    kmsg.IncrementalAlterConfigOp
	key   string
	value *string
}

func incrementalAlterConfigsRequest(kind kmsg.ConfigResourceType, name string, changes ...change) *kmsg.IncrementalAlterConfigsRequest {
	res := kmsg.NewIncrementalAlterConfigsRequestResource()
	res.ResourceType, res.ResourceName = kind, name
	for _, ch := range changes {
		c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		c.Op, c.Name, c.Value = ch.op, ch.key, ch.value
		res.Configs = append(res.Configs, c)
	}
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Resources = append(req.Resources, res)
	return req
}

func incrementalAlterConfigsSample(*run) kmsg.Request {
	return kmsg.NewPtrIncrementalAlterConfigsRequest()
}

func incrementalAlterConfigs(r *run) {
	r.make(newTopic(r.name("a"), 1, "retention.ms", "5"), newTopic(r.name("b"), 1))
	r.do("no resources", incrementalAlterConfigsSample(r))
	topic := func(name string, op kmsg.IncrementalAlterConfigOp, key, value string) {
		r.do(name, incrementalAlterConfigsRequest(typeTopic, r.name("a"), change{op, key, &value}))
	}
	null := func(name string, op kmsg.IncrementalAlterConfigOp, key string) {
		r.do(name, incrementalAlterConfigsRequest(typeTopic, r.name("a"), change{op, key, nil}))
	}
	topic("set", opSet, "segment.bytes", "2000000")
	r.configs("set: afterwards", typeTopic, r.name("a"))
	topic("set the same again", opSet, "segment.bytes", "2000000")
	topic("append to a list", opAppend, "cleanup.policy", "compact")
	r.configs("append to a list: afterwards", typeTopic, r.name("a"))
	topic("append what is there", opAppend, "cleanup.policy", "compact")
	topic("append to what is no list", opAppend, "retention.ms", "7")
	topic("append two", opAppend, "leader.replication.throttled.replicas", "0:1,1:1")
	topic("append wrong", opAppend, "cleanup.policy", "burn")
	topic("subtract", opSubtract, "cleanup.policy", "delete")
	r.configs("subtract: afterwards", typeTopic, r.name("a"))
	topic("subtract what is not there", opSubtract, "cleanup.policy", "delete")
	topic("subtract from what is no list", opSubtract, "retention.ms", "7")
	topic("subtract the last", opSubtract, "cleanup.policy", "compact")
	r.configs("subtract the last: afterwards", typeTopic, r.name("a"))
	null("delete", opDelete, "retention.ms")
	r.configs("delete: afterwards", typeTopic, r.name("a"))
	null("delete what is not set", opDelete, "retention.ms")
	topic("delete with a value", opDelete, "segment.bytes", "1")
	null("delete an unknown key", opDelete, "no.such.key")
	null("set to null", opSet, "retention.ms")
	if r.api.where == broker { // Kafka's controller resigns over these
		null("append null", opAppend, "cleanup.policy")
		null("subtract null", opSubtract, "cleanup.policy")
		topic("operation 9", 9, "retention.ms", "1")
		topic("operation -1", -1, "retention.ms", "1")
	}
	topic("set to nothing", opSet, "cleanup.policy", "")
	topic("set unknown key", opSet, "no.such.key", "1")
	topic("set empty key", opSet, "", "1")
	topic("set wrong type", opSet, "retention.ms", "soon")
	topic("set out of range", opSet, "min.insync.replicas", "0")
	incrementalAlterConfigsOdd(r)
	incrementalAlterConfigsOthers(r)
}

func incrementalAlterConfigsOdd(r *run) {
	one, two := ptr("1"), ptr("2")
	topic := func(name string, changes ...change) {
		r.do(name, incrementalAlterConfigsRequest(typeTopic, r.name("b"), changes...))
	}
	topic("no changes")
	topic("key twice", change{opSet, "retention.ms", one}, change{opSet, "retention.ms", two})
	topic("set and delete", change{opSet, "retention.ms", one}, change{opDelete, "retention.ms", nil})
	topic("good and bad keys", change{opSet, "retention.ms", one}, change{opSet, "segment.bytes", ptr("x")})
	dry := incrementalAlterConfigsRequest(typeTopic, r.name("b"), change{opSet, "retention.ms", two})
	dry.ValidateOnly = true
	r.do("validate only", dry)
	bad := incrementalAlterConfigsRequest(typeTopic, r.name("b"), change{opSet, "retention.ms", ptr("x")})
	bad.ValidateOnly = true
	r.do("validate only, wrong", bad)
	r.configs("nothing changed: afterwards", typeTopic, r.name("b"))
	twice := incrementalAlterConfigsRequest(typeTopic, r.name("b"), change{opSet, "retention.ms", two})
	twice.Resources = append(twice.Resources, twice.Resources[0])
	r.do("the same resource twice", twice)
	mixed := incrementalAlterConfigsRequest(typeTopic, r.name("b"), change{opSet, "retention.ms", two})
	mixed.Resources = append(mixed.Resources, incrementalAlterConfigsRequest(typeTopic, r.name("none"), change{opSet, "retention.ms", two}).Resources...)
	r.do("good and bad", mixed)
	r.configs("good and bad: afterwards", typeTopic, r.name("b"))
}

func incrementalAlterConfigsOthers(r *run) {
	node := strconv.Itoa(int(r.target.NodeID))
	set := func(name string, kind kmsg.ConfigResourceType, resource, key, value string) {
		r.do(name, incrementalAlterConfigsRequest(kind, resource, change{opSet, key, &value}))
	}
	unset := func(name string, kind kmsg.ConfigResourceType, resource, key string) {
		r.do(name, incrementalAlterConfigsRequest(kind, resource, change{opDelete, key, nil}))
	}
	set("unknown topic", typeTopic, r.name("none"), "retention.ms", "1")
	set("invalid topic", typeTopic, "a b", "retention.ms", "1")
	set("empty topic", typeTopic, "", "retention.ms", "1")
	set("unknown type", 7, "x", "retention.ms", "1")
	set("type 0", 0, "x", "retention.ms", "1")
	set("broker", typeBroker, node, "log.cleaner.threads", "2")
	r.configs("broker: afterwards", typeBroker, node)
	unset("broker, back", typeBroker, node, "log.cleaner.threads")
	set("all brokers", typeBroker, "", "log.cleaner.threads", "2")
	r.configs("all brokers: afterwards", typeBroker, "")
	unset("all brokers, back", typeBroker, "", "log.cleaner.threads")
	set("another broker", typeBroker, "77", "log.cleaner.threads", "2")
	set("broker, not a number", typeBroker, "one", "log.cleaner.threads", "2")
	if r.api.where == broker { // the controller checks none of these and would keep them
		set("broker, read-only key", typeBroker, node, "broker.rack", "r")
		set("broker, unknown key", typeBroker, node, "no.such.key", "1")
		unset("broker, unknown key, back", typeBroker, node, "no.such.key")
		set("broker, wrong type", typeBroker, node, "log.cleaner.threads", "many")
		set("all brokers, key of one", typeBroker, "", "advertised.listeners", "PLAINTEXT://x:1")
	}
	set("another broker's logger", typeBrokerLogger, "77", "kafka", "INFO")
	set("logger, unknown level", typeBrokerLogger, node, "root", "LOUD")
	set("group", typeGroup, "g", "consumer.session.timeout.ms", "46000")
	r.configs("group: afterwards", typeGroup, "g")
	unset("group, back", typeGroup, "g", "consumer.session.timeout.ms")
	set("group, unknown key", typeGroup, "g", "no.such.key", "1")
	set("group, out of range", typeGroup, "g", "consumer.session.timeout.ms", "1")
	set("group, empty name", typeGroup, "", "consumer.session.timeout.ms", "46000")
	set("client metrics", typeClientMetrics, "m", "interval.ms", "1000")
	r.configs("client metrics: afterwards", typeClientMetrics, "m")
	unset("client metrics, back", typeClientMetrics, "m", "interval.ms")
	set("client metrics, out of range", typeClientMetrics, "m", "interval.ms", "1")
	set("client metrics, unknown key", typeClientMetrics, "m", "no.such.key", "1")
	set("client metrics, empty name", typeClientMetrics, "", "interval.ms", "1000")
}
