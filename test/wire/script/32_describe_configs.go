package script

import (
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The resource types of configurations.
const (
	typeTopic         = kmsg.ConfigResourceTypeTopic
	typeBroker        = kmsg.ConfigResourceTypeBroker
	typeBrokerLogger  = kmsg.ConfigResourceTypeBrokerLogger
	typeClientMetrics = kmsg.ConfigResourceType(16)
	typeGroup         = kmsg.ConfigResourceType(32)
)

// describeConfigsRequest asks for one resource; nil keys ask for all.
func describeConfigsRequest(kind kmsg.ConfigResourceType, name string, keys ...string) *kmsg.DescribeConfigsRequest {
	res := kmsg.NewDescribeConfigsRequestResource()
	res.ResourceType, res.ResourceName, res.ConfigNames = kind, name, keys
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Resources = append(req.Resources, res)
	return req
}

func describeConfigsSample(*run) kmsg.Request { return kmsg.NewPtrDescribeConfigsRequest() }

func describeConfigs(r *run) {
	node := strconv.Itoa(int(r.target.NodeID))
	if r.api.where == broker {
		r.make(newTopic(r.name("a"), 1), newTopic(r.name("set"), 1, "retention.ms", "1000", "cleanup.policy", "compact,delete", "min.insync.replicas", "2"))
	}
	all := func(name string, kind kmsg.ConfigResourceType, resource string, keys ...string) {
		r.do(name, describeConfigsRequest(kind, resource, keys...))
	}
	more := func(name string, kind kmsg.ConfigResourceType, resource string, keys ...string) {
		req := describeConfigsRequest(kind, resource, keys...)
		req.IncludeSynonyms, req.IncludeDocumentation = true, true
		r.do(name, req)
	}
	r.do("no resources", describeConfigsSample(r))
	if r.api.where == broker {
		all("topic", typeTopic, r.name("a"))
		all("topic with settings", typeTopic, r.name("set"))
		more("topic with settings, synonyms and documentation", typeTopic, r.name("set"))
	}
	all("topic, some keys", typeTopic, r.name("a"), "retention.ms", "segment.bytes")
	all("topic, unknown key", typeTopic, r.name("a"), "no.such.key")
	all("topic, a key twice", typeTopic, r.name("a"), "retention.ms", "retention.ms")
	all("unknown topic", typeTopic, r.name("none"))
	all("invalid topic name", typeTopic, "a b")
	all("empty topic name", typeTopic, "")
	all("broker", typeBroker, node)
	if r.api.where == broker {
		more("broker, synonyms and documentation", typeBroker, node)
	}
	more("broker, some keys, synonyms and documentation", typeBroker, node, "log.retention.ms", "log.cleaner.threads", "no.such.key")
	all("broker, some keys", typeBroker, node, "log.retention.ms", "num.io.threads", "listeners")
	all("broker, unknown key", typeBroker, node, "no.such.key")
	all("broker default", typeBroker, "")
	more("broker default, synonyms", typeBroker, "")
	all("another broker", typeBroker, "77")
	all("broker, not a number", typeBroker, "one")
	all("another broker's logger", typeBrokerLogger, "77")
	all("group", typeGroup, "g")
	more("group, synonyms and documentation", typeGroup, "g")
	all("group, empty name", typeGroup, "")
	all("client metrics", typeClientMetrics, "m")
	all("client metrics, empty name", typeClientMetrics, "")
	all("unknown type", 7, "x")
	all("type 0", 0, "x")
	all("negative type", -1, "x")
	empty := describeConfigsRequest(typeTopic, r.name("a"))
	empty.Resources[0].ConfigNames = []string{}
	r.do("empty list of keys", empty)
	twice := describeConfigsRequest(typeTopic, r.name("a"), "retention.ms")
	twice.Resources = append(twice.Resources, twice.Resources[0])
	r.do("the same resource twice", twice)
	mixed := describeConfigsRequest(typeTopic, r.name("a"), "retention.ms")
	mixed.Resources = append(mixed.Resources, describeConfigsRequest(typeTopic, r.name("none")).Resources...)
	r.do("good and bad", mixed)
}
