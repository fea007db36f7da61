package node_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/testkit"
)

// keyed is a batch of one record with a key.
func keyed(key, value string) []byte {
	var b record.Builder
	b.Begin(record.NewOptions(0, 0))
	b.Add(1, []byte(key), []byte(value))
	batch, err := b.AppendTo(nil)
	if err != nil {
		panic(err) // nothing to compress
	}
	return batch
}

// configOf is the value of a topic's configuration key.
func configOf(t *testing.T, c *testkit.Conn, topic, key string) string {
	t.Helper()
	req := kmsg.NewPtrDescribeConfigsRequest()
	r := kmsg.NewDescribeConfigsRequestResource()
	r.ResourceType, r.ResourceName, r.ConfigNames = kmsg.ConfigResourceTypeTopic, topic, []string{key}
	req.Resources = append(req.Resources, r)
	resp := testkit.Ask[*kmsg.DescribeConfigsResponse](c, req, 4)
	if len(resp.Resources) != 1 || len(resp.Resources[0].Configs) != 1 {
		t.Fatalf("describe %s of %s: %+v", key, topic, resp.Resources)
	}
	return *resp.Resources[0].Configs[0].Value
}
