//go:build !race

package node_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
)

// The race detector empties pools at random, so that allocations are counted without it.

// The budgets: allocations of the whole process for one request of one partition, from socket to socket. They only go
// down.
const (
	produceBudget    = 0 // one record, acks=1
	produceAllBudget = 0 // one record, acks=all, of one replica
	fetchBudget      = 0 // one batch, in a session
	fetchAloneBudget = 0 // the same without a session
	fetchIdleBudget  = 2 // nothing, after a wait
)

// requester sends frames that are made already, and reads answers into memory that it has: it does not allocate.
type requester struct {
	t    testing.TB
	nc   net.Conn
	size [4]byte
	buf  []byte
}

func dialRequester(t testing.TB, n *testkit.Node) *requester {
	t.Helper()
	nc, err := net.Dial("tcp", n.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &requester{t: t, nc: nc, buf: make([]byte, 4<<20)}
}

func (r *requester) send(frame []byte) {
	if _, err := r.nc.Write(frame); err != nil {
		r.t.Fatal(err)
	}
}

func (r *requester) receive() []byte {
	if _, err := io.ReadFull(r.nc, r.size[:]); err != nil {
		r.t.Fatal(err)
	}
	b := r.buf[:binary.BigEndian.Uint32(r.size[:])]
	if _, err := io.ReadFull(r.nc, b); err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (r *requester) ask(frame []byte) []byte {
	r.send(frame)
	return r.receive()
}

// dataPath is a node on real files with a topic that has one small batch, and the requests of its data path.
type dataPath struct {
	*requester
	produce, produceAll          []byte // of the same batch
	fetch, fetchAlone, fetchIdle []byte // in a session; without one; without one, at the end, waiting a millisecond
	epoch                        uint32 // of the session
	epochAt                      int    // in fetch
	endAt                        int    // in fetchIdle
}

// placeholder is a number that is found again in a frame.
const placeholder = 0x5a5b5c5d5e5f5051

func openDataPath(t testing.TB) *dataPath {
	t.Helper()
	n := testkit.Start(t, testkit.Options{FS: vfs.OS{}, Dirs: []string{t.TempDir() + "/data"}})
	c := n.Dial()
	id := c.Create("budget", 1)
	batch := testkit.BatchOf(1_700_000_000_000, "one record of a few bytes")
	d := &dataPath{requester: dialRequester(t, n)}
	produce := func(acks int16) []byte {
		req := testkit.ProduceRequest("", 0, acks, batch)
		req.Topics[0].TopicID = id
		return testkit.Frame(req, 13, 1)
	}
	d.produce, d.produceAll = produce(1), produce(-1)
	d.ask(d.produce)

	fetch := func(from int64, session, epoch, wait int32) *kmsg.FetchRequest {
		req := testkit.FetchRequest("", 0, from)
		req.Topics[0].TopicID = id
		req.SessionID, req.SessionEpoch, req.MaxWaitMillis = session, epoch, wait
		return req
	}
	d.fetchAlone = testkit.Frame(fetch(0, 0, -1, 0), 17, 2)
	made := testkit.Ask[*kmsg.FetchResponse](c, fetch(0, 0, 0, 0), 17)
	if made.SessionID == 0 || len(made.Topics) != 1 {
		t.Fatalf("no session was made: %+v", made)
	}
	d.fetch = testkit.Frame(fetch(0, made.SessionID, placeholder>>32, 0), 17, 3)
	d.epochAt = bytes.Index(d.fetch, binary.BigEndian.AppendUint32(nil, placeholder>>32))
	d.fetchIdle = testkit.Frame(fetch(placeholder, 0, -1, 1), 17, 4)
	d.endAt = bytes.Index(d.fetchIdle, binary.BigEndian.AppendUint64(nil, placeholder))
	d.setEnd(1)
	return d
}

func (d *dataPath) setEnd(offset uint64) { binary.BigEndian.PutUint64(d.fetchIdle[d.endAt:], offset) }

// fetchInSession is the next fetch of the session.
func (d *dataPath) fetchInSession() []byte {
	d.epoch++
	binary.BigEndian.PutUint32(d.fetch[d.epochAt:], d.epoch)
	return d.ask(d.fetch)
}

func TestAllocationBudgets(t *testing.T) {
	d := openDataPath(t)
	f := func(name string, budget, runs, answer int, request func() []byte) {
		t.Helper()
		if n := len(request()); n != answer {
			t.Fatalf("%s: an answer of %d bytes, want %d", name, n, answer)
		}
		switch n := int(testing.AllocsPerRun(runs, func() { request() })); {
		case n > budget:
			t.Errorf("%s: %d allocations, the budget is %d", name, n, budget)
		case n < budget:
			t.Errorf("%s: %d allocations, fewer than the budget of %d: lower it", name, n, budget)
		}
	}
	f("fetch that waits in vain", fetchIdleBudget, 200, 72, func() []byte { return d.ask(d.fetchIdle) })
	f("fetch without a session", fetchAloneBudget, 500, 165, func() []byte { return d.ask(d.fetchAlone) })
	f("fetch in a session", fetchBudget, 500, 165, d.fetchInSession)
	f("produce", produceBudget, 500, 62, func() []byte { return d.ask(d.produce) })
	f("produce with acks=all", produceAllBudget, 500, 62, func() []byte { return d.ask(d.produceAll) })
}

func benchmark(b *testing.B, request func(*dataPath) []byte) {
	d := openDataPath(b)
	b.ReportAllocs()
	for b.Loop() {
		request(d)
	}
}

func BenchmarkProduce(b *testing.B) {
	benchmark(b, func(d *dataPath) []byte { return d.ask(d.produce) })
}

func BenchmarkFetch(b *testing.B) {
	benchmark(b, (*dataPath).fetchInSession)
}

// BenchmarkFetchMiddle reads from the middle of a log of many small batches, where no reader was before.
func BenchmarkFetchMiddle(b *testing.B) {
	const batches = 20_000
	d := openDataPath(b)
	for range batches {
		d.ask(d.produce)
	}
	b.ReportAllocs()
	for offset := uint64(0); b.Loop(); offset = (offset + 7919) % batches {
		d.setEnd(offset)
		d.ask(d.fetchIdle)
	}
}
