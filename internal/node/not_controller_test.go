package node_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/testkit"
)

// Whatever a controller is asked that is not the active one is answered, or its connection is closed: the node goes on.
func TestAskingTheWrongController(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{})
	set := kmsg.NewPtrIncrementalAlterConfigsRequest()
	broker := kmsg.NewIncrementalAlterConfigsRequestResource()
	broker.ResourceType = kmsg.ConfigResourceTypeBroker
	value := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	value.Name, value.Value = "log.retention.ms", kmsg.StringPtr("1000000")
	broker.Configs = append(broker.Configs, value)
	set.Resources = append(set.Resources, broker)
	all := []kmsg.Request{set}
	for key := range kmsg.MaxKey + 1 {
		if req := kmsg.RequestForKey(int16(key)); req != nil {
			all = append(all, req)
		}
	}
	for i, n := range c.Nodes {
		for _, req := range all {
			nc, err := net.Dial("tcp", n.ControllerAddr)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := nc.Write(testkit.Frame(req, req.MaxVersion(), 1)); err != nil {
				t.Fatal(err)
			}
			nc.SetReadDeadline(time.Now().Add(time.Minute))
			if _, err := nc.Read(make([]byte, 1)); err != nil && err != io.EOF {
				t.Errorf("%s to node %d: %v", kmsg.NameForKey(req.Key()), i+1, err)
			}
			nc.Close()
		}
	}
	client := c.Client()
	for range 2 {
		if id := c.Controller(client); id < 1 || id > 3 {
			t.Errorf("node %d leads", id)
		}
	}
}
