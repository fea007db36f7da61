//go:build !race

package node_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sys/unix"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
)

// The race detector empties pools at random, so that allocations are counted without it.

// The budgets: allocations of the whole process for one request of one partition, from socket to socket. They only go
// down.
const (
	produceBudget    = 0  // one record, acks=1
	produceAllBudget = 0  // one record, acks=all, of one replica
	fetchBudget      = 0  // one batch, in a session
	fetchAloneBudget = 0  // the same without a session
	fetchIdleBudget  = 2  // nothing, after a wait
	heartbeatBudget  = 12 // of a member of a classic group
	commitBudget     = 27 // one offset
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
	heartbeat, commit            []byte // of a classic group's one member
	files                        *countedFS
}

// placeholder is a number that is found again in a frame.
const placeholder = 0x5a5b5c5d5e5f5051

func openDataPath(t testing.TB) *dataPath {
	t.Helper()
	files := &countedFS{FS: vfs.OS{}}
	n := testkit.Start(t, testkit.Options{
		FS: files, Dirs: []string{t.TempDir() + "/data"}, Set: []string{"offsets.topic.num.partitions=1", "group.initial.rebalance.delay.ms=0"},
	})
	c := n.Dial()
	id := c.Create("budget", 1)
	batch := testkit.BatchOf(1_700_000_000_000, "one record of a few bytes")
	d := &dataPath{requester: dialRequester(t, n), files: files}
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
	d.joinGroup(c, id)
	return d
}

// joinGroup makes a group of one member, and its requests.
func (d *dataPath) joinGroup(c *testkit.Conn, topic kafka.TopicID) {
	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.SessionTimeoutMillis, join.RebalanceTimeoutMillis, join.ProtocolType = "budget", 30_000, 30_000, "consumer"
	join.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range"}}
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.CoordinatorKeys = []string{join.Group}
	var joined *kmsg.JoinGroupResponse
	testkit.Eventually(d.t, "the coordinator to load", func() bool {
		testkit.Ask[*kmsg.FindCoordinatorResponse](c, find, 4) // the first one makes the topic
		joined = testkit.Ask[*kmsg.JoinGroupResponse](c, join, 3)
		return joined.ErrorCode == 0
	})
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Group, sync.Generation, sync.MemberID = join.Group, joined.Generation, joined.MemberID
	sync.GroupAssignment = []kmsg.SyncGroupRequestGroupAssignment{{MemberID: joined.MemberID}}
	if resp := testkit.Ask[*kmsg.SyncGroupResponse](c, sync, 3); resp.ErrorCode != 0 {
		d.t.Fatalf("sync: %s", testkit.Code(resp.ErrorCode))
	}
	beat := kmsg.NewPtrHeartbeatRequest()
	beat.Group, beat.Generation, beat.MemberID = join.Group, joined.Generation, joined.MemberID
	d.heartbeat = testkit.Frame(beat, 4, 5)
	commit := kmsg.NewPtrOffsetCommitRequest()
	commit.Group, commit.Generation, commit.MemberID = join.Group, joined.Generation, joined.MemberID
	commit.Topics = []kmsg.OffsetCommitRequestTopic{{TopicID: topic, Partitions: []kmsg.OffsetCommitRequestTopicPartition{{Offset: 1, LeaderEpoch: -1}}}}
	d.commit = testkit.Frame(commit, 10, 6)
}

// countedFS counts what is read and written by offset: on the data path each is a system call.
type countedFS struct {
	vfs.FS
	reads, writes atomic.Int64
}

func (c *countedFS) counted(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &countedFile{f, c}, nil
}

func (c *countedFS) Open(name string) (vfs.File, error)      { return c.counted(c.FS.Open(name)) }
func (c *countedFS) OpenWrite(name string) (vfs.File, error) { return c.counted(c.FS.OpenWrite(name)) }
func (c *countedFS) Create(name string) (vfs.File, error)    { return c.counted(c.FS.Create(name)) }

type countedFile struct {
	vfs.File
	of *countedFS
}

func (f *countedFile) Descriptor() uintptr { return f.File.(vfs.Descriptor).Descriptor() }

func (f *countedFile) ReadAt(p []byte, offset int64) (int, error) {
	f.of.reads.Add(1)
	return f.File.ReadAt(p, offset)
}

func (f *countedFile) WriteAt(p []byte, offset int64) (int, error) {
	f.of.writes.Add(1)
	return f.File.WriteAt(p, offset)
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
	f("heartbeat", heartbeatBudget, 500, 12, func() []byte { return d.ask(d.heartbeat) })
	f("offset commit", commitBudget, 500, 36, func() []byte { return d.ask(d.commit) })
}

// What a request costs in calls on files, which with those on its socket (package transport counts them) are its system calls, and in
// pages that are touched for the first time.
func TestFileCallAndPageBudgets(t *testing.T) {
	d := openDataPath(t)
	f := func(name string, reads, writes int64, request func() []byte) {
		t.Helper()
		const n = 1000
		for range 10 { // until pools are filled
			request()
		}
		before, r, w := faults(t), d.files.reads.Load(), d.files.writes.Load()
		for range n {
			request()
		}
		if got := d.files.reads.Load() - r; got != n*reads {
			t.Errorf("%s: %d reads of files for %d requests, want %d each", name, got, n, reads)
		}
		if got := d.files.writes.Load() - w; got != n*writes {
			t.Errorf("%s: %d writes to files for %d requests, want %d each", name, got, n, writes)
		}
		if got := (faults(t) - before) / n; got != 0 {
			t.Errorf("%s: %d page faults a request, want none", name, got)
		}
	}
	f("fetch without a session", 2, 0, func() []byte { return d.ask(d.fetchAlone) }) // the header of the batch, and the batch
	f("fetch in a session", 2, 0, d.fetchInSession)
	f("produce", 0, 1, func() []byte { return d.ask(d.produce) })
	f("produce with acks=all", 0, 1, func() []byte { return d.ask(d.produceAll) })
	f("heartbeat", 0, 0, func() []byte { return d.ask(d.heartbeat) })
	f("offset commit", 0, 1, func() []byte { return d.ask(d.commit) })
}

// faults are the page faults of this process without I/O so far.
func faults(t *testing.T) int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return int64(u.Minflt)
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
