package quorum

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// noConfigs accepts every configuration.
type noConfigs struct{}

func (noConfigs) IsLogger(string) bool                                { return false }
func (noConfigs) IsList(metadata.ResourceType, string) (string, bool) { return "", false }
func (noConfigs) Validate(metadata.ConfigResource, map[string]string, map[string]string) error {
	return nil
}
func (noConfigs) Topic(controller.Stored) controller.TopicConfig {
	return controller.TopicConfig{MinInSyncReplicas: 1}
}
func (noConfigs) DescribeTopic(controller.Stored) []controller.TopicConfigEntry { return nil }

var nodeDirectory = kafka.UUID{0: 1, 6: 0x40, 8: 0x80, 15: 200}

func testConfig(fs vfs.FS, dir string) Config {
	return Config{
		FS: fs, Dir: path.Join(dir, "__cluster_metadata-0"), NodeID: 1, Directory: nodeDirectory,
		Voters:    []Voter{{ID: 1}},
		LogConfig: commitlog.DefaultConfig(), Cache: segment.NewCache(16, 16),
		Controller: controller.Config{
			ClusterID: "cluster", Configs: noConfigs{}, Random: rand.New(rand.NewPCG(1, 2)),
		},
	}
}

// node is a running engine.
type node struct {
	*Engine
	t    testing.TB
	stop context.CancelFunc
	done chan error
}

func run(t testing.TB, cfg Config) *node {
	t.Helper()
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, e)
}

func start(t testing.TB, e *Engine) *node {
	ctx, cancel := context.WithCancel(context.Background())
	n := &node{Engine: e, t: t, stop: cancel, done: make(chan error, 1)}
	go func() { n.done <- e.Run(ctx) }()
	return n
}

func (n *node) close() {
	n.t.Helper()
	n.stop()
	if err := <-n.done; err != nil {
		n.t.Fatalf("run: %v", err)
	}
}

func (n *node) submit(cmd controller.Command) any {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	response, err := n.Submit(ctx, cmd)
	if err != nil {
		n.t.Fatal(err)
	}
	return response
}

// join registers and unfences broker 1.
func (n *node) join() {
	n.t.Helper()
	req := kmsg.NewPtrBrokerRegistrationRequest()
	req.BrokerID, req.ClusterID, req.PreviousBrokerEpoch = 1, "cluster", -1
	req.IncarnationID = [16]byte{0: byte(n.Image().Offset), 6: 0x40, 15: 1}
	if b := n.Image().Cluster.Broker(1); b != nil {
		req.PreviousBrokerEpoch = int64(b.Epoch)
	}
	req.LogDirs = [][16]byte{nodeDirectory}
	for name, r := range controller.DefaultSupported() {
		req.Features = append(req.Features, kmsg.BrokerRegistrationRequestFeature{
			Name: name, MinSupportedVersion: int16(r.Min), MaxSupportedVersion: int16(r.Max),
		})
	}
	registered := n.submit(controller.RegisterBroker{Request: req, PreviousDead: true}).(*kmsg.BrokerRegistrationResponse)
	if registered.ErrorCode != 0 {
		n.t.Fatalf("registration: error %d", registered.ErrorCode)
	}
	beat := kmsg.NewPtrBrokerHeartbeatRequest()
	beat.BrokerID, beat.BrokerEpoch = 1, registered.BrokerEpoch
	beat.CurrentMetadataOffset = int64(n.Image().Offset)
	if got := n.submit(controller.Heartbeat{Request: beat}).(*kmsg.BrokerHeartbeatResponse); got.IsFenced || got.ErrorCode != 0 {
		n.t.Fatalf("heartbeat: %+v", got)
	}
}

func (n *node) create(topics ...string) *kmsg.CreateTopicsResponse {
	n.t.Helper()
	return n.submit(controller.CreateTopics{Request: topicsRequest(topics...)}).(*kmsg.CreateTopicsResponse)
}

func topicsRequest(topics ...string) *kmsg.CreateTopicsRequest {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Version = 7
	for _, name := range topics {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 2, 1
		req.Topics = append(req.Topics, topic)
	}
	return req
}

// dump is the whole state as records in Kafka's words.
func dump(i *metadata.Image) string {
	var b []byte
	for r := range i.Records {
		b = append(schema.AppendMetadataJSON(b, r.Body, r.Version), '\n')
	}
	return string(b)
}

func TestOneNode(t *testing.T) {
	for _, dynamic := range []bool{false, true} {
		t.Run(fmt.Sprintf("dynamic=%t", dynamic), func(t *testing.T) {
			fs := vfs.NewMem()
			cfg := testConfig(fs, "/data")
			if dynamic {
				members := metalog.Voters{KRaft: 1, Set: []Voter{{ID: 1, Directory: nodeDirectory, Endpoints: []metadata.Endpoint{{Listener: "CONTROLLER", Host: "localhost", Port: 9093}}}}}
				cfg.Voters = nil
				if err := metalog.WriteBootstrap(fs, cfg.Dir, members, controller.DefaultBootstrap(), 1000); err != nil {
					t.Fatal(err)
				}
			}
			n := run(t, cfg)
			n.join()
			if got := n.create("foo", "bar"); got.Topics[0].ErrorCode != 0 || got.Topics[1].ErrorCode != 0 {
				t.Fatalf("create: %+v", got)
			}
			if n.Image().Topics.ByName("foo") == nil {
				t.Fatal("the answer came before the image")
			}
			if got := n.create("foo"); got.Topics[0].ErrorCode != 36 {
				t.Fatalf("create again: %+v", got)
			}
			before := dump(n.Image())
			end := n.Image().Offset
			n.close()

			e, err := Open(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if got := dump(e.Image()); got != before {
				t.Fatalf("after a restart:\n%s\nwant\n%s", got, before)
			}
			if e.Image().Offset != end {
				t.Fatalf("offset %d after a restart, was %d", e.Image().Offset, end)
			}
			n = start(t, e)
			n.join()
			if leader, epoch := n.Leader(); leader != 1 || epoch != 2 {
				t.Fatalf("leader %d of epoch %d", leader, epoch)
			}
			n.create("baz")
			s := n.Status()
			if s.KRaftVersion == 1 != dynamic || len(s.Voters) != 1 || s.Voters[0].LogEndOffset != s.HighWatermark {
				t.Fatalf("status %+v", s)
			}
			n.close()
		})
	}
}

func controllerRequest(id kafka.NodeID) *kmsg.ControllerRegistrationRequest {
	req := kmsg.NewPtrControllerRegistrationRequest()
	req.ControllerID = int32(id)
	return req
}
