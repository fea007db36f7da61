package script

import (
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func alterConfigsRequest(kind kmsg.ConfigResourceType, name string, pairs ...string) *kmsg.AlterConfigsRequest {
	res := kmsg.NewAlterConfigsRequestResource()
	res.ResourceType, res.ResourceName = kind, name
	for i := 0; i+1 < len(pairs); i += 2 {
		c := kmsg.NewAlterConfigsRequestResourceConfig()
		c.Name, c.Value = pairs[i], &pairs[i+1]
		res.Configs = append(res.Configs, c)
	}
	req := kmsg.NewPtrAlterConfigsRequest()
	req.Resources = append(req.Resources, res)
	return req
}

func alterConfigsSample(*run) kmsg.Request { return kmsg.NewPtrAlterConfigsRequest() }

func alterConfigs(r *run) {
	r.make(newTopic(r.name("a"), 1, "retention.ms", "5"), newTopic(r.name("b"), 1))
	node := strconv.Itoa(int(r.target.NodeID))
	set := func(name string, kind kmsg.ConfigResourceType, resource string, pairs ...string) {
		r.do(name, alterConfigsRequest(kind, resource, pairs...))
	}
	r.do("no resources", alterConfigsSample(r))
	set("set one, which drops the other", typeTopic, r.name("a"), "segment.bytes", "2000000")
	r.configs("set one, which drops the other: afterwards", typeTopic, r.name("a"))
	set("set nothing, which drops all", typeTopic, r.name("a"))
	r.configs("set nothing, which drops all: afterwards", typeTopic, r.name("a"))
	dry := alterConfigsRequest(typeTopic, r.name("a"), "retention.ms", "77")
	dry.ValidateOnly = true
	r.do("validate only", dry)
	bad := alterConfigsRequest(typeTopic, r.name("a"), "retention.ms", "soon")
	bad.ValidateOnly = true
	r.do("validate only, wrong", bad)
	r.configs("validate only: afterwards", typeTopic, r.name("a"))
	set("unknown key", typeTopic, r.name("a"), "no.such.key", "1")
	set("wrong type", typeTopic, r.name("a"), "retention.ms", "soon")
	set("out of range", typeTopic, r.name("a"), "min.insync.replicas", "0")
	set("good and bad keys", typeTopic, r.name("a"), "segment.bytes", "2000000", "retention.ms", "soon")
	set("key twice", typeTopic, r.name("a"), "retention.ms", "1", "retention.ms", "2")
	set("empty key", typeTopic, r.name("a"), "", "2")
	null := alterConfigsRequest(typeTopic, r.name("a"), "retention.ms", "")
	null.Resources[0].Configs[0].Value = nil
	r.do("null value", null)
	set("unknown topic", typeTopic, r.name("none"), "retention.ms", "1")
	set("invalid topic", typeTopic, "a b", "retention.ms", "1")
	set("empty topic", typeTopic, "", "retention.ms", "1")
	set("unknown type", 7, "x", "retention.ms", "1")
	set("type 0", 0, "x", "retention.ms", "1")
	set("another broker", typeBroker, "77", "log.cleaner.threads", "2")
	set("broker, not a number", typeBroker, "one", "log.cleaner.threads", "2")
	if r.api.where == broker { // the controller checks none of these and would keep them
		set("broker, read-only key", typeBroker, node, "broker.rack", "r")
		set("broker, unknown key", typeBroker, node, "no.such.key", "1")
		set("broker, unknown key, back", typeBroker, node)
		set("broker, wrong type", typeBroker, node, "log.cleaner.threads", "many")
	}
	set("broker logger", typeBrokerLogger, node, "root", "INFO")
	set("group", typeGroup, "g", "consumer.session.timeout.ms", "46000")
	set("group, empty name", typeGroup, "", "consumer.session.timeout.ms", "46000")
	set("group, out of range", typeGroup, "g", "consumer.session.timeout.ms", "1")
	twice := alterConfigsRequest(typeTopic, r.name("b"), "retention.ms", "1")
	twice.Resources = append(twice.Resources, twice.Resources[0])
	if r.api.where == broker {
		r.unansweredByKafka("the same resource twice", twice)
	} else {
		r.do("the same resource twice", twice)
	}
	mixed := alterConfigsRequest(typeTopic, r.name("b"), "retention.ms", "1")
	mixed.Resources = append(mixed.Resources, alterConfigsRequest(typeTopic, r.name("none"), "retention.ms", "1").Resources...)
	r.do("good and bad", mixed)
	r.configs("good and bad: afterwards", typeTopic, r.name("b"))
	set("group again, to nothing", typeGroup, "g")
}

// configs records a resource's settings that are not defaults, once they must
// be visible.
func (r *run) configs(name string, kind kmsg.ConfigResourceType, resource string) {
	r.barrier()
	req := describeConfigsRequest(kind, resource)
	req.SetVersion(4)
	resp, err := r.ask(broker, req)
	if err != nil {
		r.fail("%w", err)
	}
	for i := range resp.(*kmsg.DescribeConfigsResponse).Resources {
		res := &resp.(*kmsg.DescribeConfigsResponse).Resources[i]
		var kept []kmsg.DescribeConfigsResponseResourceConfig
		for _, c := range res.Configs {
			if c.Source != kmsg.ConfigSourceDefaultConfig && c.Source != kmsg.ConfigSourceStaticBrokerConfig {
				kept = append(kept, c)
			}
		}
		res.Configs = kept
	}
	rr := r.renderer()
	rr.api = 32
	r.entry(name, rr.answer(resp))
}
