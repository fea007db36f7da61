package cli

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// hurtIt makes a cluster of three look ill: t-0 has no leader, t-1 and u-0 one replica in sync of three, and no directory can be used.
func hurtIt(c *kfake.Cluster) {
	c.ControlKey(3, func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		r := req.(*kmsg.MetadataRequest)
		if r.Topics != nil {
			return nil, nil, false
		}
		return illMetadata(r, c.ListenAddrs()), nil, true
	})
	c.ControlKey(35, func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.DescribeLogDirsResponse)
		d := kmsg.NewDescribeLogDirsResponseDir()
		d.Dir, d.ErrorCode = "/lost", kerr.KafkaStorageError.Code
		resp.Dirs = append(resp.Dirs, d)
		return resp, nil, true
	})
}

func illMetadata(req *kmsg.MetadataRequest, addresses []string) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	resp.ClusterID, resp.ControllerID = kmsg.StringPtr("test-cluster"), 0
	for i, a := range addresses {
		host, port, _ := net.SplitHostPort(a)
		n, _ := strconv.Atoi(port)
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port = int32(i), host, int32(n)
		resp.Brokers = append(resp.Brokers, b)
	}
	for name, leaders := range map[string][]int32{"t": {-1, 0}, "u": {0}} {
		t := kmsg.NewMetadataResponseTopic()
		t.Topic = kmsg.StringPtr(name)
		for i, leader := range leaders {
			p := kmsg.NewMetadataResponseTopicPartition()
			p.Partition, p.Leader, p.Replicas, p.ISR = int32(i), leader, []int32{0, 1, 2}, []int32{0}
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}

// An answer without what was asked for is no success, and no panic.
func TestAnswersThatLackWhatWasAskedFor(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return req.ResponseKind(), nil, true
	})
	for _, args := range []string{"produce t", "consume t", "topic describe t", "bench consume t", "cluster info", "diag listeners", "diag connection"} {
		s := begin(t, strings.NewReader("a record\n"), append(strings.Fields(args), "-b", c.ListenAddrs()[0])...)
		if code := <-s.ended; code == 0 {
			t.Errorf("ottla %s: exit code 0, %q", args, s.out.text())
		}
	}
}
