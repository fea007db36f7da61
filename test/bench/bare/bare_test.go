package bare_test

import (
	"net"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/histogram"
	"github.com/ottla/ottla/test/bench/bare"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/probe"
)

// serve runs a bare server and makes a topic.
func serve(t *testing.T, kind string, topic load.Topic) string {
	t.Helper()
	nl, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ended := make(chan error, 1)
	go func() { ended <- bare.Serve(nl, kind, dir) }()
	t.Cleanup(func() { nl.Close(); <-ended })
	if topic.Name != "" {
		if err := load.Create(nl.Addr().String(), topic); err != nil {
			t.Fatal(err)
		}
	}
	return nl.Addr().String()
}

// What the replayer has sent comes back, to the raw fetcher and to franz-go.
func TestWhatIsProducedIsFetched(t *testing.T) {
	address := serve(t, "bare", load.Topic{Name: "t", Partitions: 3})
	batch, err := load.NewBatch(64<<10, 1000, compress.None)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := load.Replay(t.Context(), address, load.Traffic{Topic: "t", Partitions: 3, Conns: 2, Depth: 3, Batch: batch}, load.Limit{Bytes: 3 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(3<<20) / int64(len(batch.Bytes)); sent.Requests != want || sent.Records != want*int64(batch.Records) || sent.Bytes != want*int64(len(batch.Bytes)) {
		t.Errorf("%d batches of %d records fit, and %+v was sent", want, batch.Records, sent)
	}
	got, err := load.Fetch(t.Context(), address, load.Reading{Topic: "t", Partitions: 3, Conns: 2, MaxBytes: 100 << 10, Once: true}, load.Limit{})
	if err != nil || got.Bytes != sent.Bytes {
		t.Errorf("%d of %d bytes were fetched: %v", got.Bytes, sent.Bytes, err)
	}
	read, err := load.FranzConsume(t.Context(), address, "t", sent.Records, load.Limit{Bytes: sent.Records * 1000})
	if err != nil || read.Records != sent.Records || read.Bytes != sent.Records*1000 {
		t.Errorf("franz-go read %+v: %v", read, err)
	}
}

// Reading goes around until it has its bytes.
func TestFetchingBeginsAgain(t *testing.T) {
	address := serve(t, "bare", load.Topic{Name: "t", Partitions: 1})
	batch, err := load.NewBatch(4<<10, 100, compress.None)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := load.Replay(t.Context(), address, load.Traffic{Topic: "t", Partitions: 1, Conns: 1, Depth: 1, Batch: batch}, load.Limit{Bytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	got, err := load.Fetch(t.Context(), address, load.Reading{Topic: "t", Partitions: 1, Conns: 1, MaxBytes: 1 << 20}, load.Limit{Bytes: 3 * sent.Bytes})
	if err != nil || got.Bytes != 3*sent.Bytes {
		t.Errorf("%d of three times %d bytes: %v", got.Bytes, sent.Bytes, err)
	}
}

// The null server takes what franz-go sends, and has nothing.
func TestNullForgets(t *testing.T) {
	address := serve(t, "null", load.Topic{Name: "t", Partitions: 2})
	done, err := load.FranzProduce(t.Context(), address, "t", 100, load.Limit{Bytes: 100_000})
	if err != nil || done.Records != 1000 {
		t.Errorf("%+v: %v", done, err)
	}
	times := &histogram.Histogram{}
	batch, err := load.NewBatch(100, 100, compress.None)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := load.Replay(t.Context(), address, load.Traffic{Topic: "t", Partitions: 2, Conns: 3, Depth: 1, Batch: batch, Times: times},
		load.Limit{Bytes: int64(50 * len(batch.Bytes))})
	if err != nil || sent.Requests != 50 || times.Count() != 50 {
		t.Errorf("%+v, %d times: %v", sent, times.Count(), err)
	}
}

// Every record of the open loop arrives once, and none before its time.
func TestProbe(t *testing.T) {
	address := serve(t, "bare", load.Topic{Name: "t", Partitions: 4})
	plan := probe.Plan{Topic: "t", Rate: 1000, Producers: 4, Size: 256, Length: 300 * time.Millisecond}
	h, err := probe.EndToEnd(t.Context(), address, plan)
	if err != nil || h.Count() != 300 {
		t.Errorf("%d of 300 records: %v", h.Count(), err)
	}
	h, err = probe.EchoControl(t.Context(), serve(t, "echo", load.Topic{}), plan)
	if err != nil || h.Count() != 300 {
		t.Errorf("%d of 300 echoes: %v", h.Count(), err)
	}
}

// An error in an answer is an error of the load: here of a topic that is not there.
func TestErrorsAreSeen(t *testing.T) {
	address := serve(t, "bare", load.Topic{})
	batch, err := load.NewBatch(100, 100, compress.None)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load.Replay(t.Context(), address, load.Traffic{Topic: "t", Partitions: 1, Conns: 1, Depth: 1, Batch: batch}, load.Limit{Bytes: 1000}); err == nil {
		t.Error("a topic that is not there takes records")
	}
	if _, err := load.OpenTail(address, "t", 0); err == nil {
		t.Error("a topic that is not there has an end")
	}
	if err := bare.Listen("bear", "127.0.0.1:0", t.TempDir()); err == nil {
		t.Error("a kind that is not there")
	}
}
