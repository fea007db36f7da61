package node_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/testkit"
)

// levels asks for the loggers of the node as kafka-configs --describe does.
func levels(c *testkit.Conn, node string, names ...string) string {
	req := kmsg.NewPtrDescribeConfigsRequest()
	r := kmsg.NewDescribeConfigsRequestResource()
	r.ResourceType, r.ResourceName, r.ConfigNames = kmsg.ConfigResourceTypeBrokerLogger, node, names
	req.Resources = append(req.Resources, r)
	a := testkit.Ask[*kmsg.DescribeConfigsResponse](c, req, 4).Resources[0]
	if a.ErrorCode != 0 {
		return testkit.Code(a.ErrorCode) + ": " + *a.ErrorMessage
	}
	var out []string
	for _, e := range a.Configs {
		out = append(out, e.Name+"="+*e.Value)
		if e.Source != kmsg.ConfigSourceDynamicBrokerLoggerConfig || e.ReadOnly || e.IsSensitive || len(e.ConfigSynonyms) > 0 || *e.Documentation != "" {
			out = append(out, fmt.Sprintf("%+v", e))
		}
	}
	return strings.Join(out, " ")
}

func TestLogLevels(t *testing.T) {
	var log strings.Builder
	n := testkit.Start(t, testkit.Options{Log: &log})
	c := n.Dial()
	const loggers = kmsg.ConfigResourceTypeBrokerLogger
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s\nwant %s", what, got, want)
		}
	}
	check("at first", levels(c, "1"), "ottla.api=INFO ottla.coordinator=INFO ottla.node=INFO ottla.partition=INFO ottla.quorum=INFO ottla.replication=INFO ottla.transport=INFO root=INFO")
	set(t, c, loggers, "1", "root", "WARN", "ottla.transport", "DEBUG")
	check("changed", levels(c, "1", "ottla.transport", "root", "ottla.api", "none"), "ottla.api=WARN ottla.transport=DEBUG root=WARN")
	set(t, c, loggers, "1", "ottla.transport", "-")
	check("deleted", levels(c, "1", "ottla.transport"), "ottla.transport=WARN")
	for _, f := range []struct{ node, name, level, want string }{
		{"1", "root", "-", "INVALID_REQUEST: Removing the log level of the root logger is not allowed"},
		{"1", "none", "INFO", "INVALID_CONFIG: Logger none does not exist!"},
		{"1", "none", "-", "INVALID_CONFIG: Logger none does not exist!"},
		{"1", "ottla.api", "loud", "INVALID_CONFIG: Cannot set the log level of ottla.api to loud as it is not a supported log level. Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN"},
		{"2", "root", "INFO", "INVALID_REQUEST: Unexpected node id. Expected 1, but received 2"},
		{"x", "root", "INFO", "INVALID_REQUEST: Node id must be an integer, but it is: x"},
		{"", "root", "INFO", "INVALID_REQUEST: Node id must be an integer, but it is: "},
	} {
		check(f.name+"="+f.level, alter(c, loggers, f.node, f.name, f.level), f.want)
	}
	check("another node", levels(c, "2"), "INVALID_REQUEST: Unexpected broker id, expected 1 but received 2")
	check("no node", levels(c, ""), "INVALID_REQUEST: Broker id must not be empty")
	check("no number", levels(c, "x"), "INVALID_REQUEST: Broker id must be an integer, but it is: x")
	set(t, c, loggers, "1", "ottla.transport", "DEBUG")
	damaged := n.Dial()
	damaged.Write([]byte{0x7f, 0xff, 0xff, 0xff}) // a frame that is too long
	damaged.Closed()
	n.Stop()
	if !strings.Contains(log.String(), `level=INFO msg="logs recovered"`) || !strings.Contains(log.String(), "level=DEBUG") {
		t.Errorf("the log:\n%s", log.String())
	}
}
