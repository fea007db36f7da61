package observer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/observer"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// controllers are three fakes, 1 to 3 at c1:1 to c3:1, with one log of one record in each batch.
type controllers struct {
	t testing.TB

	mu     sync.Mutex
	leader kafka.NodeID
	epoch  kafka.LeaderEpoch
	down   map[kafka.NodeID]bool
	log    []record.Batch
	high   int
	hidden bool                                       // nobody says where the leader is
	spoil  func(*kmsg.FetchResponse)                  // what a leader answers
	start  int                                        // of the log; what comes before is in the snapshot
	snap   []byte                                     // the snapshot of epoch 1 that ends at start
	every  int64                                      // bytes of the log those who follow write a snapshot; 0 is the default
	pieces int                                        // of snapshots, which were asked for
	news   *sync.Cond                                 // of anything above
	asked  map[kafka.NodeID][]*kmsg.FetchRequestTopic // what each was asked
}

func newControllers(t testing.TB) *controllers {
	c := &controllers{t: t, leader: kafka.NoNode, down: map[kafka.NodeID]bool{}, asked: map[kafka.NodeID][]*kmsg.FetchRequestTopic{}}
	c.news = sync.NewCond(&c.mu)
	return c
}

// change does something to the controllers.
func (c *controllers) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	c.news.Broadcast()
}

// leads makes a node the leader of the next epoch, whose first batch says so, and commits all.
func (c *controllers) leads(id kafka.NodeID) {
	c.change(func() {
		c.leader = id
		c.epoch++
		c.append(1)
		c.high = len(c.log)
	})
}

// append adds batches that set the level of a feature to their offset.
func (c *controllers) append(n int) {
	for range n {
		var b record.Builder
		b.Begin(record.NewOptions(kafka.Offset(len(c.log)), c.epoch))
		b.Add(1, nil, schema.AppendMetadata(nil, &schema.FeatureLevelRecord{Name: "metadata.version", FeatureLevel: int16(7 + len(c.log)%20)}, 0))
		batch, err := b.AppendTo(nil)
		if err != nil {
			c.t.Fatal(err)
		}
		c.log = append(c.log, batch)
	}
}

func (c *controllers) dial(ctx context.Context, address string) (net.Conn, error) {
	var id kafka.NodeID
	if _, err := fmt.Sscanf(address, "c%d:1", &id); err != nil {
		return nil, err
	}
	c.mu.Lock()
	down := c.down[id]
	c.mu.Unlock()
	if down {
		return nil, errors.New("refused")
	}
	f := &testkit.Fake{T: c.t, Versions: []kmsg.ApiVersionsResponseApiKey{{ApiKey: 1, MaxVersion: 18}, {ApiKey: 59, MaxVersion: 1}}, Handle: func(h wire.Header, body []byte) []byte {
		req, err := wire.Decode(h, body)
		if err != nil {
			c.t.Error(err)
			return nil
		}
		if req, ok := req.(*kmsg.FetchSnapshotRequest); ok {
			return c.piece(h, req)
		}
		return c.answer(id, h, req.(*kmsg.FetchRequest))
	}}
	return f.Dial(ctx)
}

// answer is that of Kafka's controllers to a fetch: whoever does not lead says who does, and the leader waits until there is something new.
func (c *controllers) answer(id kafka.NodeID, h wire.Header, req *kmsg.FetchRequest) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := req.Topics[0].Partitions[0]
	c.asked[id] = append(c.asked[id], &req.Topics[0])
	waited := false
	wake := time.AfterFunc(time.Duration(req.MaxWaitMillis)*time.Millisecond, func() { c.change(func() { waited = true }) })
	defer wake.Stop()
	for c.leader == id && !c.down[id] && !waited && c.spoil == nil && asked.CurrentLeaderEpoch == int32(c.epoch) && int(asked.FetchOffset) == c.high {
		c.news.Wait()
	}
	if c.down[id] {
		return nil
	}
	p := kmsg.NewFetchResponseTopicPartition()
	p.CurrentLeader.LeaderID, p.CurrentLeader.LeaderEpoch = int32(c.leader), int32(c.epoch)
	p.ErrorCode = c.refusal(id, asked.CurrentLeaderEpoch)
	if p.ErrorCode == 0 {
		c.fill(&p, &asked)
	}
	t := kmsg.NewFetchResponseTopic()
	t.TopicID, t.Partitions = kafka.MetadataTopicID, append(t.Partitions, p)
	resp := kmsg.NewPtrFetchResponse()
	resp.Topics = append(resp.Topics, t)
	if c.leader != kafka.NoNode && !c.hidden {
		b := kmsg.NewFetchResponseBroker()
		b.NodeID, b.Host, b.Port = int32(c.leader), fmt.Sprint("c", c.leader), 1
		resp.Brokers = append(resp.Brokers, b)
	}
	if c.spoil != nil {
		c.spoil(resp)
	}
	return testkit.Answer(h, resp)
}

func (c *controllers) refusal(id kafka.NodeID, epoch int32) int16 {
	switch {
	case epoch < int32(c.epoch):
		return kerr.FencedLeaderEpoch.Code
	case epoch > int32(c.epoch):
		return kerr.UnknownLeaderEpoch.Code
	case id != c.leader:
		return kerr.NotLeaderForPartition.Code
	}
	return 0
}

// fill gives what follows, or where the logs part.
func (c *controllers) fill(p *kmsg.FetchResponseTopicPartition, asked *kmsg.FetchRequestTopicPartition) {
	p.HighWatermark = int64(c.high)
	from := int(asked.FetchOffset)
	if from < c.start {
		p.SnapshotID.EndOffset, p.SnapshotID.Epoch = int64(c.start), 1
		return
	}
	if from > len(c.log) || from > 0 && int32(c.log[from-1].LeaderEpoch()) != asked.LastFetchedEpoch {
		end := 0
		for end < len(c.log) && int32(c.log[end].LeaderEpoch()) <= asked.LastFetchedEpoch {
			end++
		}
		p.DivergingEpoch.Epoch, p.DivergingEpoch.EndOffset = 0, int64(end)
		if end > 0 {
			p.DivergingEpoch.Epoch = int32(c.log[end-1].LeaderEpoch())
		}
		return
	}
	for _, b := range c.log[from:] {
		p.RecordBatches = append(p.RecordBatches, b...)
	}
}

// piece gives of the snapshot what was asked for, a thousand bytes at most.
func (c *controllers) piece(h wire.Header, req *kmsg.FetchSnapshotRequest) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pieces++
	asked := req.Topics[0].Partitions[0]
	p := kmsg.NewFetchSnapshotResponseTopicPartition()
	p.SnapshotID = kmsg.FetchSnapshotResponseTopicPartitionSnapshotID{EndOffset: asked.SnapshotID.EndOffset, Epoch: asked.SnapshotID.Epoch}
	p.Size, p.Position = int64(len(c.snap)), asked.Position
	p.Bytes = c.snap[asked.Position:min(int(asked.Position)+1000, len(c.snap))]
	t := kmsg.NewFetchSnapshotResponseTopic()
	t.Topic, t.Partitions = kafka.ClusterMetadataTopic, append(t.Partitions, p)
	resp := kmsg.NewPtrFetchSnapshotResponse()
	resp.Topics = append(resp.Topics, t)
	return testkit.Answer(h, resp)
}

// following is an engine that runs.
type following struct {
	*observer.Engine
	t    testing.TB
	fs   *vfs.Mem
	said *lines
	stop func() error
}

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), what)
}

// follow starts an engine at a node that knows the addresses of controllers, or, as voters, of all.
func (c *controllers) follow(fs *vfs.Mem, servers ...string) *following {
	c.t.Helper()
	f := &following{t: c.t, fs: fs, said: &lines{}}
	log := slog.New(slog.NewTextHandler(f.said, nil))
	cfg := observer.Config{
		ClusterID: "c", NodeID: 4, Directory: kafka.UUID{4}, Servers: servers, Listener: "CONTROLLER", Dial: c.dial,
		Mirror: quorum.MirrorConfig{FS: fs, Dir: "/__cluster_metadata-0", LogConfig: commitlog.DefaultConfig(), Cache: segment.NewCache(4, 4), SnapshotBytes: c.every, Log: log},
		Wait:   50 * time.Millisecond, Timeout: 10 * time.Second, Backoff: time.Millisecond, MaxBytes: 1 << 20, MaxSnapshotBytes: 1 << 20, Now: time.Now, Log: log,
	}
	for id := kafka.NodeID(1); len(servers) == 0 && id <= 3; id++ {
		cfg.Mirror.Voters = append(cfg.Mirror.Voters, quorum.Voter{ID: id, Endpoints: []metadata.Endpoint{{Listener: "CONTROLLER", Host: fmt.Sprint("c", id), Port: 1}}})
	}
	var err error
	if f.Engine, err = observer.Open(cfg); err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	f.stop = sync.OnceValue(func() error {
		cancel()
		c.change(func() {})
		return <-done
	})
	c.t.Cleanup(func() { _ = f.stop() }) // a test that wants an error has asked
	return f
}

// has waits until the image holds the record at offset, and no later one.
func (f *following) has(offset kafka.Offset) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	if err := f.Wait(ctx, offset); err != nil {
		f.t.Fatalf("wait for offset %d: %v, has %d", offset, err, f.Image().Offset)
	}
	if got := f.Image(); got.Offset != offset || got.Features.Level("metadata.version") != metadata.Level(7+int(offset)%20) {
		f.t.Fatalf("the image is of offset %d, want %d", got.Offset, offset)
	}
}

// TestFollows: whoever is asked first, the leader is found, what is committed is shown and nothing else, and when the leader goes the next one is followed.
func TestFollows(t *testing.T) {
	for name, servers := range map[string][]string{"voters": nil, "one address": {"c2:1"}} {
		t.Run(name, func(t *testing.T) {
			c := newControllers(t)
			c.leads(3)
			f := c.follow(vfs.NewMem(), servers...)
			var changes []kafka.Offset
			var mu sync.Mutex
			f.Subscribe(func(change metadata.Change) {
				mu.Lock()
				defer mu.Unlock()
				changes = append(changes, change.Image.Offset)
			})
			f.has(0)
			c.change(func() { c.append(2); c.high = 2 })
			f.has(1)
			leader, epoch, deposed := f.LeaderUntil()
			v, ok := f.Peer(3)
			if leader != 3 || epoch != 1 || !ok || v.Endpoints[0].Host != "c3" {
				t.Errorf("leader %d in epoch %d at %+v, %+v", leader, epoch, v, f.Status())
			}
			if _, err := f.Submit(t.Context(), nil); !errors.Is(err, quorum.ErrNotController) {
				t.Errorf("a command: %v", err)
			}
			if servers == nil {
				c.change(func() { c.down[3] = true })
			}
			c.leads(1) // its log has what the other one had not committed
			<-deposed
			f.has(3)
			if b := f.Bounds(); b.HighWatermark != 4 || b.LogEndOffset != 4 {
				t.Errorf("%+v", b)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(changes) == 0 || changes[len(changes)-1] != 3 {
				t.Errorf("changes to %v", changes)
			}
		})
	}
}

// TestRestartKeepsTheCopy: what is there is not fetched again, and shown when a leader says that it is committed.
func TestRestartKeepsTheCopy(t *testing.T) {
	c := newControllers(t)
	c.leads(1)
	fs := vfs.NewMem()
	f := c.follow(fs)
	c.change(func() { c.append(5); c.high = 6 })
	f.has(5)
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	c.change(func() { clear(c.asked) })
	f = c.follow(fs)
	f.has(5)
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, all := range c.asked {
		for _, asked := range all {
			if at := asked.Partitions[0].FetchOffset; at != 6 {
				t.Errorf("controller %d was asked for offset %d", id, at)
			}
		}
	}
}

// TestUncommittedIsCut: what a leader had not committed when it went is cut away where the next one's log parts from it.
func TestUncommittedIsCut(t *testing.T) {
	c := newControllers(t)
	c.leads(1)
	f := c.follow(vfs.NewMem())
	c.change(func() { c.append(4); c.high = 2 })
	f.has(1)
	testkit.Eventually(t, "it has what is not committed", func() bool { return f.Bounds().LogEndOffset == 5 })
	c.change(func() { c.log = c.log[:3] })
	c.leads(2)
	f.has(3)
	if b := f.Bounds(); b.LogEndOffset != 4 {
		t.Errorf("%+v", b)
	}
}

// TestAnotherLogEndsIt: controllers that have not what was committed are not followed.
func TestAnotherLogEndsIt(t *testing.T) {
	c := newControllers(t)
	c.leads(1)
	f := c.follow(vfs.NewMem())
	c.change(func() { c.append(4); c.high = 5 })
	f.has(4)
	c.change(func() { c.log = c.log[:2] })
	c.leads(2)
	if err := f.Wait(t.Context(), 100); !errors.Is(err, quorum.ErrStopped) {
		t.Fatalf("wait: %v", err)
	}
	if err := f.stop(); !errors.Is(err, quorum.ErrOtherLog) {
		t.Errorf("ends with %v", err)
	}
}

// TestBadAnswers: what is no answer, or no log, or another cluster's, changes nothing; when it ends, all goes on.
func TestBadAnswers(t *testing.T) {
	first := func(r *kmsg.FetchResponse) *kmsg.FetchResponseTopicPartition { return &r.Topics[0].Partitions[0] }
	for name, spoil := range map[string]func(*kmsg.FetchResponse){
		"of another cluster": func(r *kmsg.FetchResponse) { r.Topics, r.ErrorCode = nil, kerr.InconsistentClusterID.Code },
		"no topics":          func(r *kmsg.FetchResponse) { r.Topics = nil },
		"an unknown error":   func(r *kmsg.FetchResponse) { first(r).ErrorCode = kerr.UnknownServerError.Code },
		"noise":              func(r *kmsg.FetchResponse) { first(r).RecordBatches = bytes.Repeat([]byte{1}, 100) },
		"a broken batch": func(r *kmsg.FetchResponse) {
			if b := first(r).RecordBatches; len(b) > 0 {
				b = bytes.Clone(b)
				b[len(b)-1] ^= 1
				first(r).RecordBatches = b
			}
		},
		"half a batch": func(r *kmsg.FetchResponse) {
			if p := first(r); len(p.RecordBatches) > 0 {
				p.RecordBatches = p.RecordBatches[:70]
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newControllers(t)
			c.leads(1)
			f := c.follow(vfs.NewMem())
			f.has(0)
			c.change(func() { c.spoil, c.asked = spoil, map[kafka.NodeID][]*kmsg.FetchRequestTopic{} })
			c.change(func() { c.append(1); c.high = 2 })
			testkit.Eventually(t, "it has asked often", func() bool {
				c.mu.Lock()
				defer c.mu.Unlock()
				return len(c.asked[1]) > 3
			})
			if f.Image().Offset != 0 {
				t.Errorf("the image is of offset %d", f.Image().Offset)
			}
			c.change(func() { c.spoil = nil })
			f.has(1)
			if n := f.said.count("of another cluster"); (n > 0) != (name == "of another cluster") || n > 3 {
				t.Errorf("it said %d times of three controllers that they are of another cluster", n)
			}
		})
	}
}
