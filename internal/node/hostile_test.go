package node_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/wire"
)

// The tests of this file are named after what is sent. Each has a good client beside the bad one: it must notice nothing.

// besieged starts a node with a good client that produces and reads until the test ends.
func besieged(t *testing.T, o testkit.Options) *testkit.Node {
	t.Helper()
	n := testkit.Start(t, o)
	good := n.Dial()
	good.Create("good", 1)
	stop, done := make(chan struct{}), make(chan struct{})
	written := 0
	go func() {
		defer close(done)
		for {
			if p := good.Produce("good", 0, testkit.BatchOf(1, fmt.Sprint(written))); p.ErrorCode != 0 || p.BaseOffset != int64(written) {
				t.Errorf("the good client's record %d: %s at %d", written, testkit.Code(p.ErrorCode), p.BaseOffset)
				return
			}
			written++
			good.Fetch("good", 0, int64(written-1))
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
		if p := good.Fetch("good", 0, int64(written)-1); written == 0 || p.HighWatermark != int64(written) {
			t.Errorf("the good client wrote %d records, the high watermark is %d", written, p.HighWatermark)
		}
	})
	return n
}

// allocated is how many bytes are allocated while f runs.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestHostileLengthPrefix(t *testing.T) {
	n := besieged(t, testkit.Options{Set: []string{"socket.request.max.bytes=1048576"}})
	for _, size := range []uint32{math.MaxInt32, 1 << 31, math.MaxUint32, 1<<20 + 1} {
		for _, dial := range []func() *testkit.Conn{n.Dial, n.DialController} {
			c := dial()
			c.Write(binary.BigEndian.AppendUint32(nil, size))
			c.Closed()
		}
	}
	// Within the limit a claim costs nothing until the bytes come.
	var held []*testkit.Conn
	got := allocated(func() {
		for range 50 {
			c := n.Dial()
			c.Write(append(binary.BigEndian.AppendUint32(nil, 1<<20), testkit.Frame(kmsg.NewPtrApiVersionsRequest(), 0, 1)...))
			held = append(held, c)
		}
		n.Dial().Topics()
	})
	if got > 32<<20 {
		t.Errorf("50 claims of 1 MiB cost %d bytes", got)
	}
	for _, c := range held {
		c.Close()
	}
}

func TestHostileTruncatedFrames(t *testing.T) {
	n := besieged(t, testkit.Options{})
	whole := testkit.Frame(testkit.ProduceRequest("good", 0, -1, testkit.BatchOf(1, "x")), 9, 1)
	for cut := 1; cut < len(whole); cut++ {
		c := n.Dial()
		c.Write(whole[:cut])
		c.Finish()
		short := slices.Clone(whole[:cut])
		if cut < 4 {
			continue
		}
		binary.BigEndian.PutUint32(short, uint32(cut-4))
		c = n.Dial()
		c.Write(short)
		c.Finish()
	}
}

func TestHostileArrayCounts(t *testing.T) {
	n := besieged(t, testkit.Options{})
	sent := 0
	got := allocated(func() {
		for _, r := range wire.Ranges() {
			flexible, _ := wire.FirstFlexible(r.Key)
			for v := r.Min; v <= r.Max; v++ {
				for _, count := range [][]byte{{0x7f, 0xff, 0xff, 0xff}, {0x80, 0, 0, 0}, {0xff, 0xff, 0xff, 0xff, 0x0f}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}} {
					for _, pad := range []int{0, 2, 5} {
						body := append(make([]byte, pad), count...)
						frame := testkit.Raw(r.Key, v, 1, v >= flexible, body)
						sent += len(frame)
						c := n.Dial()
						c.Write(frame)
						c.Finish()
					}
				}
			}
		}
	})
	t.Logf("%d bytes sent, %d allocated", sent, got)
	if got > 1<<30 {
		t.Errorf("%d bytes of requests made the process allocate %d", sent, got)
	}
}

func TestHostileTaggedFields(t *testing.T) {
	n := besieged(t, testkit.Options{})
	uvarint := func(v uint64) []byte { return binary.AppendUvarint(nil, v) }
	header := func(tags []byte) []byte { // of ApiVersions 3
		frame := testkit.Raw(18, 3, 1, false, tags)
		return frame
	}
	many := append(uvarint(2_000_000), bytes.Repeat([]byte{5, 0}, 2_000_000)...)
	for name, frame := range map[string][]byte{
		"20 M claimed": header(uvarint(20_000_000)),
		"2 M sent":     header(many),
		"descending":   header([]byte{2, 9, 0, 5, 0}),
		"twice":        header([]byte{2, 9, 0, 9, 0}),
		"too long":     header([]byte{1, 9, 0xff, 0xff, 0xff, 0x7f}),
		"in the body":  testkit.Raw(18, 3, 1, true, append([]byte{2, 'a', 2, '1'}, many...)),
	} {
		got := allocated(func() {
			c := n.Dial()
			c.Write(frame)
			c.Closed()
		})
		if limit := uint64(8*len(frame) + 32<<20); got > limit {
			t.Errorf("%s: %d bytes made the process allocate %d", name, len(frame), got)
		}
	}
}

// A batch that would decompress to a gigabyte is taken for what it is in the log or refused, but not blown up in memory.
func TestHostileDecompression(t *testing.T) {
	n := testkit.Start(t, testkit.Options{}) // alone: what it allocates is counted
	c := n.Dial()
	c.Create("a", 1, "compression.type", "uncompressed", "max.message.bytes", "10485760")
	zeros := make([]byte, 96<<20)
	for _, codec := range []compress.Codec{compress.Gzip, compress.Zstd, compress.LZ4} {
		o := record.NewOptions(0, 0)
		o.Codec = codec
		var b record.Builder
		b.Begin(o)
		b.Add(1, nil, zeros)
		bomb, err := b.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		var p kmsg.ProduceResponseTopicPartition
		got := allocated(func() { p = c.Produce("a", 0, bomb) })
		if p.ErrorCode == 0 {
			t.Errorf("codec %d: a bomb of %d bytes is stored", codec, len(bomb))
		}
		if got > 96<<20 {
			t.Errorf("codec %d: a bomb of %d bytes made the process allocate %d", codec, len(bomb), got)
		}
	}
}

func TestHostileKeysAndVersions(t *testing.T) {
	n := besieged(t, testkit.Options{})
	for _, dial := range []func() *testkit.Conn{n.Dial, n.DialController} {
		for _, v := range []int16{6, 99, math.MaxInt16, -1, math.MinInt16} {
			c := dial()
			c.Write(testkit.Raw(18, v, 7, true, []byte{2, 'a', 2, '1', 0}))
			body, open := c.Answer()
			resp := kmsg.NewPtrApiVersionsResponse()
			if !open {
				t.Errorf("ApiVersions version %d: closed", v)
			} else if err := resp.ReadFrom(body); err != nil || resp.ErrorCode != kerr.UnsupportedVersion.Code || len(resp.ApiKeys) != 1 {
				t.Errorf("ApiVersions version %d: %+v, %v", v, resp, err)
			}
		}
		for _, key := range []int16{-1, math.MinInt16, 95, 1000, math.MaxInt16} {
			c := dial()
			c.Write(testkit.Raw(key, 0, 1, false, nil))
			c.Closed()
		}
	}
	for _, r := range wire.Ranges() {
		if r.Key == 18 {
			continue
		}
		for _, v := range []int16{-1, r.Max + 1, math.MaxInt16} {
			c := n.Dial()
			c.Write(testkit.Raw(r.Key, v, 1, false, nil))
			c.Closed()
		}
	}
}

// What brokers and controllers say to each other is not for the listener of clients.
func TestHostileInterBrokerRequests(t *testing.T) {
	n := besieged(t, testkit.Options{})
	for _, req := range []kmsg.Request{
		kmsg.NewPtrVoteRequest(), kmsg.NewPtrBeginQuorumEpochRequest(), kmsg.NewPtrEndQuorumEpochRequest(), kmsg.NewPtrAlterPartitionRequest(),
		kmsg.NewPtrEnvelopeRequest(), kmsg.NewPtrFetchSnapshotRequest(), kmsg.NewPtrBrokerRegistrationRequest(), kmsg.NewPtrBrokerHeartbeatRequest(),
		kmsg.NewPtrAllocateProducerIDsRequest(), kmsg.NewPtrControllerRegistrationRequest(), kmsg.NewPtrAssignReplicasToDirsRequest(),
	} {
		c := n.Dial()
		c.Send(req, req.MaxVersion())
		c.Closed()
	}
	// A client that says it is a replica is none.
	for _, replica := range []int32{0, 1, 2} {
		req := testkit.FetchRequest("good", 0, 0)
		req.ReplicaID = replica
		p := testkit.Ask[*kmsg.FetchResponse](n.Dial(), req, 11).Topics[0].Partitions[0]
		if p.ErrorCode == 0 && len(p.RecordBatches) > 0 {
			t.Errorf("a fetch as replica %d is served", replica)
		}
	}
}

func TestHostileFetchLimits(t *testing.T) {
	n := besieged(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 1)
	c.MustProduce("a", 0, testkit.BatchOf(1, "x"))
	req := testkit.FetchRequest("a", 0, 0)
	req.MaxBytes, req.MinBytes, req.MaxWaitMillis = math.MaxInt32, math.MinInt32, math.MaxInt32
	req.Topics[0].Partitions[0].PartitionMaxBytes = math.MaxInt32
	got := allocated(func() {
		if got := testkit.Ask[*kmsg.FetchResponse](c, req, 12).Topics[0].Partitions[0]; got.ErrorCode != 0 || len(got.RecordBatches) == 0 {
			t.Errorf("a fetch without limits: %s, %d bytes", testkit.Code(got.ErrorCode), len(got.RecordBatches))
		}
	})
	if got > 64<<20 {
		t.Errorf("a fetch without limits made the process allocate %d bytes", got)
	}
}

// A thousand long polls on one connection are taken a bounded number at a time, and all are answered in the end.
func TestHostileManyInFlight(t *testing.T) {
	n := besieged(t, testkit.Options{})
	n.Dial().Create("a", 1)
	c := n.Dial()
	req := testkit.FetchRequest("a", 0, 0)
	req.MaxWaitMillis = math.MaxInt32
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range 1000 {
			c.Send(req, 12)
		}
	}()
	other := n.Dial()
	for range 20 {
		other.Topics()
	}
	other.MustProduce("a", 0, testkit.BatchOf(1, "x"))
	for want := range int32(1000) {
		resp, id := c.Receive(req)
		if f := resp.(*kmsg.FetchResponse); id != want+1 || len(f.Topics) != 1 {
			t.Fatalf("answer %d, want %d: %+v", id, want+1, f)
		}
	}
	<-sent
}

// Bytes of a stranger do not make lines in the log of their own, nor long ones.
func TestHostileLogLines(t *testing.T) {
	var log lockedBuffer
	n := testkit.Start(t, testkit.Options{Log: &log})
	evil := "x\ntime=1970-01-01 level=ERROR msg=\"all is lost\"\r\n\x1b[31m" + strings.Repeat("y", 20_000)
	c := n.Dial()
	c.Produce(evil, 0, testkit.BatchOf(1, "x"))
	c.Fetch(evil, 0, 0)
	req := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = evil, 1, 1
	req.Topics = append(req.Topics, topic)
	testkit.Ask[*kmsg.CreateTopicsResponse](c, req, 7)
	frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID(evil)).AppendRequest(nil, kmsg.NewPtrVoteRequest(), 1)
	c.Write(frame)
	c.Closed()
	n.Stop()
	for line := range strings.Lines(log.String()) {
		if !strings.HasPrefix(line, "time=20") || len(line) > 4096 || strings.Contains(line, "\x1b") {
			t.Errorf("log line of %d bytes: %.100q", len(line), line)
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Random bytes, and ordinary requests with some of their bytes changed, for every key and version of both listeners.
func TestHostileGarbage(t *testing.T) {
	seed := drawSeed(t)
	rng := rand.New(rand.NewPCG(seed, 1))
	n := besieged(t, testkit.Options{})
	noise := func(size int) []byte {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	throw := func(c *testkit.Conn, frame []byte) {
		c.Write(frame)
		c.Finish()
	}
	for range 200 {
		throw(n.Dial(), noise(rng.IntN(300)))
	}
	begin := time.Now()
	frames := 0
	for _, r := range wire.Ranges() {
		flexible, _ := wire.FirstFlexible(r.Key)
		for v := r.Min; v <= r.Max; v++ {
			throw(n.Dial(), testkit.Raw(r.Key, v, 1, v >= flexible, noise(rng.IntN(100))))
			throw(n.DialController(), testkit.Raw(r.Key, v, 1, v >= flexible, noise(rng.IntN(100))))
			req := sample(r.Key)
			req.SetVersion(v)
			body := req.AppendTo(nil)
			for range 3 {
				spoilt := slices.Clone(body)
				for range 1 + rng.IntN(3) {
					if len(spoilt) > 0 {
						spoilt[rng.IntN(len(spoilt))] = []byte{0, 1, 0x7f, 0x80, 0xff, byte(rng.Uint32())}[rng.IntN(6)]
					}
				}
				throw(n.Dial(), testkit.Raw(r.Key, v, 1, v >= flexible, spoilt))
				frames++
			}
		}
	}
	t.Logf("%d spoilt requests in %v", frames, time.Since(begin).Round(time.Millisecond))
	select {
	case err := <-n.Failed():
		t.Errorf("the node failed: %v", err)
	default:
	}
}

// sample is a request that has something in it, for the APIs where that is easy to say.
func sample(key int16) kmsg.Request {
	name := "bait" // the good client counts its records
	switch key {
	case 0:
		return testkit.ProduceRequest(name, 0, -1, corrupted())
	case 1:
		return testkit.FetchRequest(name, 0, 0)
	case 3:
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{{Topic: &name}}
		return req
	case 64:
		req := kmsg.NewPtrUnregisterBrokerRequest()
		req.BrokerID = 0x66666666 // three spoilt bytes don't make it the node's own: that would be an order, which is followed
		return req
	}
	return kmsg.RequestForKey(key)
}

// corrupted is a batch that no node takes.
func corrupted() []byte {
	b := testkit.BatchOf(1, "x")
	b[len(b)-1] ^= 1
	return b
}

// Connections beyond max.connections.per.ip are refused; those that are there stay.
func TestHostileConnections(t *testing.T) {
	n := testkit.Start(t, testkit.Options{Set: []string{"max.connections.per.ip=5"}})
	var held []*testkit.Conn
	for range 5 {
		c := n.Dial()
		c.Topics()
		held = append(held, c)
	}
	for range 3 {
		c := n.Dial()
		c.Closed()
	}
	for _, c := range held {
		c.Topics()
	}
	held[0].Finish()
	testkit.Eventually(t, "the place of a closed connection is free again", func() bool {
		c := n.Dial()
		defer c.Close()
		if !c.Write(testkit.Frame(kmsg.NewPtrApiVersionsRequest(), 0, 1)) {
			return false
		}
		_, open := c.Answer()
		return open
	})
}
