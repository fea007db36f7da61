package script

import (
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// oddValues are tried on every configuration key: what is right for one is wrong for the next.
var oddValues = []string{"", "0", "-1", "-2", "1", "true", "TRUE", "yes", "0.5", "1.5", "x", " 7 ", "100000", "99999999999", "1e3", "delete", "compact,delete", "gzip", "LogAppendTime", "PLAINTEXT", "*", "a,b", "a:b"}

// configValues sets each key of each kind of resource to odd values, without effect, and records what is refused and in
// which words. The keys are those that the node itself describes.
func configValues(r *run) {
	r.make(newTopic(r.name("a"), 1))
	node := strconv.Itoa(int(r.target.NodeID))
	r.sweep("topic", typeTopic, r.name("a"), nil)
	r.sweep("group", typeGroup, "g", nil)
	r.sweep("client metrics", typeClientMetrics, "m", nil)
	// A broker takes only some keys while it runs; one value tells which.
	r.sweep("broker", typeBroker, node, []string{"1", "x"})
	r.sweep("all brokers", typeBroker, "", []string{"1", "x"})
}

// keys lists the configuration keys of a resource.
func (r *run) keys(kind kmsg.ConfigResourceType, resource string) []string {
	req := describeConfigsRequest(kind, resource)
	req.SetVersion(4)
	resp, err := r.ask(broker, req)
	if err != nil {
		r.fail("%w", err)
	}
	var out []string
	for _, res := range resp.(*kmsg.DescribeConfigsResponse).Resources {
		for _, c := range res.Configs {
			out = append(out, c.Name)
		}
	}
	return out
}

// sweep tries values, oddValues if nil, on every key of a resource; "all brokers" has the keys of one.
func (r *run) sweep(name string, kind kmsg.ConfigResourceType, resource string, values []string) {
	described := resource
	if kind == typeBroker {
		described = strconv.Itoa(int(r.target.NodeID))
	}
	if values == nil {
		values = oddValues
	}
	var lines []string
	for _, key := range r.keys(kind, described) {
		var outcomes []string
		with := map[string][]string{} // the values of an outcome
		for _, v := range values {
			o := r.try(kind, resource, key, v)
			if with[o] == nil {
				outcomes = append(outcomes, o)
			}
			with[o] = append(with[o], strconv.Quote(v))
		}
		for _, o := range outcomes {
			lines = append(lines, key+" "+strings.Join(with[o], " ")+": "+o)
		}
	}
	r.entry(name, lines)
}

// try sets one key to a value, without effect. The outcome stands without key and value.
func (r *run) try(kind kmsg.ConfigResourceType, resource, key, value string) string {
	req := incrementalAlterConfigsRequest(kind, resource, change{opSet, key, &value})
	req.SetVersion(1)
	req.ValidateOnly = true
	resp, err := r.ask(broker, req)
	if err != nil {
		return err.Error()
	}
	res := resp.(*kmsg.IncrementalAlterConfigsResponse).Resources[0]
	out := errorName(res.ErrorCode)
	if res.ErrorMessage != nil {
		text := strings.ReplaceAll(r.clean(*res.ErrorMessage), key, "KEY")
		if value = strings.TrimSpace(value); len(value) > 0 {
			text = strings.ReplaceAll(text, "value "+value, "value V")
		}
		out += " " + strconv.Quote(text)
	}
	return out
}
