package transport

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const patience = 20 * time.Second // how long a test waits for what must come

func testOptions() Options {
	return Options{
		Name: "PLAINTEXT", MaxFrame: 8 << 20, Admission: NewAdmission(time.Now, noLimits(), "PLAINTEXT"),
		Budget: NewBudget(64 << 20), Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
}

// serve starts a listener on loopback.
func serve(t *testing.T, opts Options, h Handler) *Listener {
	t.Helper()
	nl, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := NewListener(nl, opts, h)
	go l.Serve()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = l.Drain(ctx) // a test may have drained already
	})
	return l
}

func dial(t *testing.T, l *Listener) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return nc
}

// drain returns when all connections are over: a peer may have the last byte of a reply before what it held is given back.
func drain(t *testing.T, l *Listener) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := l.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}

func frame(body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func readFrame(t *testing.T, r io.Reader) []byte {
	t.Helper()
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		t.Fatalf("read a reply's size: %v", err)
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(r, body); err != nil {
		t.Fatalf("read a reply: %v", err)
	}
	return body
}

// reply makes a response of body.
func reply(body []byte) Response {
	b := NewReply(len(body))
	b.B = append(b.B, body...)
	return Response{Buf: b}
}

func echo(r *Request) { r.Reply(reply(bytes.Clone(r.Frame))) }

func TestEchoAcrossSizesAndCuts(t *testing.T) {
	l := serve(t, testOptions(), echo)
	nc := dial(t, l)
	sizes := []int{0, 1, 3, 4, 5, 100, 4091, 4092, 4093, 4096, 5000, 65535, 65536, 65537, 300_000, 1 << 20, 3 << 20, 10, 8 << 20, 4092, 2}
	var all []byte
	var want [][]byte
	for _, n := range sizes {
		body := make([]byte, n)
		rand.Read(body)
		want = append(want, body)
		all = append(all, frame(body)...)
	}
	go func() {
		for len(all) > 0 { // uneven pieces, so that prefixes and bodies are cut everywhere
			n := min(len(all), 1+len(all)%7919)
			if _, err := nc.Write(all[:n]); err != nil {
				return
			}
			all = all[n:]
		}
	}()
	for i := range want {
		if got := readFrame(t, nc); !bytes.Equal(got, want[i]) {
			t.Fatalf("frame %d of %d bytes came back with %d bytes, or changed", i, len(want[i]), len(got))
		}
	}
}

func TestRepliesKeepTheOrderOfRequests(t *testing.T) {
	const n = 100
	pending := make(chan Pending, n)
	l := serve(t, testOptions(), func(r *Request) {
		if r.Frame[0]%3 == 0 {
			pending <- r.Defer(false)
			return
		}
		echo(r)
	})
	nc := dial(t, l)
	for i := range n {
		if _, err := nc.Write(frame([]byte{byte(i)})); err != nil {
			t.Fatal(err)
		}
	}
	var deferred []Pending
	for range (n + 2) / 3 {
		deferred = append(deferred, <-pending)
	}
	for i := len(deferred) - 1; i >= 0; i-- { // the last first
		id := byte(i * 3)
		deferred[i].Complete(func() Response { return reply([]byte{id}) })
	}
	for i := range n {
		if got := readFrame(t, nc); got[0] != byte(i) {
			t.Fatalf("reply %d is the answer to request %d", i, got[0])
		}
	}
}

// Whoever completes a reply in place is never held up by a peer that does not read, and loses nothing.
func TestCompleteHereDoesNotWait(t *testing.T) {
	content := make([]byte, 1<<20)
	rand.Read(content)
	f := openedFile(t, content)
	var live atomic.Int32
	pending := make(chan Pending, maxPending)
	opts := testOptions()
	opts.SendBuffer = 4 << 10
	l := serve(t, opts, func(r *Request) { pending <- r.Defer(false) })
	nc := dial(t, l)
	const n = 100
	nc.Write(bytes.Repeat(frame([]byte("poll")), n))
	lengths := []int64{0, 100, copyBelow - 100, copyBelow, 300_000}
	for i := range n {
		live.Add(1)
		hole := fileRange{f: f, pos: int64(i), n: lengths[i%len(lengths)], noFD: i%7 == 3, live: &live}
		(<-pending).CompleteHere(func() Response {
			b := NewReply(0)
			b.B = append(b.B, byte(i))
			return Response{Buf: b, Holes: []Hole{{At: len(b.B), Range: hole}}}
		})
	}
	for i := range n {
		want := append([]byte{byte(i)}, content[i:int64(i)+lengths[i%len(lengths)]]...)
		if got := readFrame(t, nc); !bytes.Equal(got, want) {
			t.Fatalf("reply %d has %d bytes, want %d, or differs", i, len(got), len(want))
		}
	}
	nc.Close()
	if err := l.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := live.Load(); n != 0 {
		t.Errorf("%d ranges were not released", n)
	}
}

// A handler that has others to wake gets on, however little its own peer reads; past maxPending answers the connection is not read.
func TestReplyNowDoesNotWaitForThePeer(t *testing.T) {
	l := serve(t, testOptions(), func(r *Request) { r.ReplyNow(reply(make([]byte, copyBelow/2))) })
	nc := dial(t, l)
	go func() {
		for {
			if _, err := nc.Write(frame(nil)); err != nil {
				return
			}
		}
	}()
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		l.mu.Lock()
		conns := l.list()
		l.mu.Unlock()
		if len(conns) == 1 && len(conns[0].tokens) == maxPending {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the handler waits for its peer")
		}
	}
	nc.Close()
}

func TestNoReplyForAFireAndForgetRequest(t *testing.T) {
	l := serve(t, testOptions(), func(r *Request) {
		if r.Frame[0] == 0 {
			r.Reply(Response{})
			return
		}
		echo(r)
	})
	nc := dial(t, l)
	nc.Write(append(frame([]byte{0}), frame([]byte{7})...))
	if got := readFrame(t, nc); got[0] != 7 {
		t.Fatalf("got %v", got)
	}
}

// The end of a stream may come together with its last bytes, and then makes no event that the reader could wait for.
func TestEndBehindTheLastBytesIsSeen(t *testing.T) {
	handled := make(chan struct{}, 1)
	l := serve(t, testOptions(), func(r *Request) {
		r.Reply(Response{})
		handled <- struct{}{}
	})
	for _, requests := range []int{1, seasoned - 1, seasoned, 2 * seasoned} {
		nc := dial(t, l)
		nc.Write(bytes.Repeat(frame([]byte("fire and forget")), requests))
		if err := nc.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		for range requests {
			<-handled
		}
		if n, err := nc.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("read %d bytes, %v; want the end", n, err)
		}
	}
}

func TestSweepLooksForTheEnd(t *testing.T) {
	l := serve(t, testOptions(), func(r *Request) { r.Defer(false).Complete(func() Response { return reply([]byte("served")) }) })
	nc := dial(t, l)
	nc.Write(frame(nil))
	readFrame(t, nc)
	l.mu.Lock()
	c := l.list()[0]
	l.mu.Unlock()
	if c.io.ended() {
		t.Error("an open connection has ended")
	}
}

func TestPipelinedFramesOfOneSize(t *testing.T) {
	for _, size := range []int{smallRead, 16 << 10, trusted - 2*sizePrefix, trusted, 200_000} {
		l := serve(t, testOptions(), func(r *Request) {
			if !bytes.Equal(r.Frame, bytes.Repeat([]byte{r.Frame[0]}, size)) {
				t.Errorf("frames of %d bytes are mixed up", size)
			}
			r.Reply(reply(r.Frame[:1]))
		})
		nc := dial(t, l)
		go func() {
			for i := range 50 {
				nc.Write(frame(bytes.Repeat([]byte{byte(i)}, size)))
			}
		}()
		for i := range 50 {
			if got := readFrame(t, nc); got[0] != byte(i) {
				t.Fatalf("reply %d is to request %d", i, got[0])
			}
		}
	}
}

// What is left of one frame's read may be one to three bytes of the next prefix, whatever the sizes are.
func TestFramesThatGrowByAFewBytes(t *testing.T) {
	l := serve(t, testOptions(), echo)
	for _, size := range []int{0, 100, smallRead - 9, smallRead, 16_000, trusted - 12, trusted, 200_000} {
		for more := range 9 {
			nc := dial(t, l)
			nc.Write(frame(make([]byte, size)))
			readFrame(t, nc)
			nc.Write(append(frame(make([]byte, size+more)), frame([]byte("next"))...))
			if got := readFrame(t, nc); len(got) != size+more {
				t.Fatalf("a frame of %d bytes comes back with %d", size+more, len(got))
			}
			if got := readFrame(t, nc); string(got) != "next" {
				t.Fatalf("after %d and %d bytes: %q", size, size+more, got)
			}
			nc.Close()
		}
	}
}

// A reset that comes with the last bytes makes no event of its own, and is told by the socket only once.
func TestResetBehindTheLastBytesIsSeen(t *testing.T) {
	opts := testOptions()
	opts.MaxIdle = time.Hour
	l := serve(t, opts, func(r *Request) { r.Reply(Response{}) })
	for range 20 {
		nc := dial(t, l)
		nc.Write(bytes.Repeat(frame([]byte("fire and forget")), 2*seasoned))
		if err := nc.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		nc.Close()
	}
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		l.mu.Lock()
		left := len(l.conns)
		l.mu.Unlock()
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are left", left)
		}
	}
}

func TestHeldFrameSurvivesTheHandler(t *testing.T) {
	got := make(chan []byte, 2)
	pending := make(chan Pending, 2)
	l := serve(t, testOptions(), func(r *Request) {
		got <- r.Frame
		pending <- r.Defer(true)
	})
	nc := dial(t, l)
	nc.Write(append(frame([]byte("first")), frame(bytes.Repeat([]byte("x"), 100_000))...))
	for _, want := range []string{"first", string(bytes.Repeat([]byte("x"), 100_000))} {
		held, p := <-got, <-pending
		p.Complete(func() Response { return reply(held) })
		if answer := readFrame(t, nc); string(answer) != want {
			t.Fatalf("held frame changed: %.20q", answer)
		}
	}
}

func TestBadSizesCloseTheConnection(t *testing.T) {
	l := serve(t, testOptions(), echo)
	for _, size := range []uint32{0x80000000, 0xffffffff, 0x7fffffff, 8<<20 + 1} {
		nc := dial(t, l)
		nc.Write(binary.BigEndian.AppendUint32(nil, size))
		if n, err := nc.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("size %#x: read %d bytes, %v; want the connection closed", size, n, err)
		}
	}
}

func TestClaimedSizeIsNotAllocated(t *testing.T) {
	opts := testOptions()
	opts.MaxFrame = 1 << 30
	l := serve(t, opts, echo)
	for range 20 {
		nc := dial(t, l)
		nc.Write(binary.BigEndian.AppendUint32(nil, 1<<30))
		nc.Write([]byte("some bytes"))
	}
	echoed := dial(t, l) // the others are being served in the meantime
	echoed.Write(frame([]byte("hello")))
	readFrame(t, echoed)
	opts.Budget.mu.Lock()
	used := opts.Budget.used
	opts.Budget.mu.Unlock()
	if used > 20*trusted {
		t.Errorf("20 connections that claim 1 GiB each hold %d bytes", used)
	}
}

// fileRange is a run of a file with a count of its references.
type fileRange struct {
	f      *os.File
	pos, n int64
	noFD   bool
	live   *atomic.Int32
}

func (r fileRange) Len() int64                              { return r.n }
func (r fileRange) ReadAt(p []byte, off int64) (int, error) { return r.f.ReadAt(p, r.pos+off) }
func (r fileRange) File() (uintptr, int64, bool)            { return r.f.Fd(), r.pos, !r.noFD }
func (r fileRange) Release()                                { r.live.Add(-1) }

// openedFile holds content, as a segment does.
func openedFile(t *testing.T, content []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "segment")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestFileRangesBetweenBytes(t *testing.T) {
	content := make([]byte, 3<<20)
	rand.Read(content)
	respond, want, live := rangesOf(openedFile(t, content), content)
	l := serve(t, testOptions(), func(r *Request) { r.Reply(respond()) })
	nc := dial(t, l)
	for range 3 {
		nc.Write(frame([]byte("fetch")))
		expect(t, nc, want)
	}
	drain(t, l)
	if n := live.Load(); n != 0 {
		t.Errorf("%d ranges were not released", n)
	}
}

// expect reads a frame.
func expect(t *testing.T, nc net.Conn, want []byte) {
	t.Helper()
	if got := readFrame(t, nc); !bytes.Equal(got, want) {
		t.Fatalf("%d bytes came, want %d, or they differ", len(got), len(want))
	}
}

// rangesOf returns a response with ranges of a file of all kinds, what it is on the wire, and a count of ranges that are not released.
func rangesOf(f *os.File, content []byte) (respond func() Response, want []byte, live *atomic.Int32) {
	live = new(atomic.Int32)
	ranges := []fileRange{
		{f: f, pos: 10, n: 2 << 20, live: live},            // sent without a copy
		{f: f, pos: 100, n: 200, live: live},               // copied: small
		{f: f, pos: 5, n: 100_000, noFD: true, live: live}, // copied: no descriptor
		{f: f, pos: 0, n: 0, live: live},
		{f: f, pos: 1 << 20, n: 2 << 20, live: live},
		{f: f, pos: 1000, n: 1<<20 + 1, live: live},
	}
	for _, r := range ranges {
		want = append(append(want, "head"...), content[r.pos:r.pos+r.n]...)
	}
	return func() Response {
		b := NewReply(64)
		var holes []Hole
		for _, r := range ranges {
			live.Add(1)
			b.B = append(b.B, "head"...)
			holes = append(holes, Hole{At: len(b.B), Range: r})
		}
		b.B = append(b.B, "tail"...)
		return Response{Buf: b, Holes: holes}
	}, append(want, "tail"...), live
}

// serveRange answers with the first n bytes of a file, and counts the ranges that are not released.
func serveRange(t *testing.T, f *os.File, n int64) (*Listener, *atomic.Int32) {
	live := new(atomic.Int32)
	return serve(t, testOptions(), func(r *Request) {
		live.Add(1)
		b := NewReply(0)
		r.Reply(Response{Buf: b, Holes: []Hole{{At: len(b.B), Range: fileRange{f: f, n: n, live: live}}}})
	}), live
}

// A consumer that stops reading must not hold up another one that reads the same file.
func TestStalledReaderDoesNotStallOthers(t *testing.T) {
	f := openedFile(t, make([]byte, 16<<20))
	l, _ := serveRange(t, f, 16<<20)
	stalled := dial(t, l)
	stalled.Write(frame([]byte("fetch")))
	if _, err := io.ReadFull(stalled, make([]byte, 1000)); err != nil { // it is being served, and stops reading
		t.Fatal(err)
	}
	other := dial(t, l)
	other.Write(frame([]byte("fetch")))
	if got := readFrame(t, other); len(got) != 16<<20 {
		t.Fatalf("got %d bytes", len(got))
	}
}

func TestDrainSendsWhatIsOwed(t *testing.T) {
	arrived := make(chan Pending, 1)
	l := serve(t, testOptions(), func(r *Request) { arrived <- r.Defer(false) })
	nc := dial(t, l)
	nc.Write(frame([]byte("long poll")))
	p := <-arrived
	drained := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	go func() { drained <- l.Drain(ctx) }()
	for !l.isDraining() {
		runtime.Gosched()
	}
	p.Complete(func() Response { return reply([]byte("late")) })
	if got := readFrame(t, nc); string(got) != "late" {
		t.Fatalf("got %q", got)
	}
	if err := <-drained; err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("a drained listener accepts")
	}
}

// A reply that is owed to a client that went away is still work: its writer begins before Drain returns, or not at all.
func TestDrainWaitsForRepliesToTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arrived := make(chan Pending, 2)
		n := newPipeListener()
		l := NewListener(n, testOptions(), func(r *Request) { arrived <- r.Defer(false) })
		go l.Serve()
		nc := n.dial()
		nc.Write(frame([]byte("first")))
		nc.Write(frame([]byte("second")))
		first, second := <-arrived, <-arrived
		nc.Close()
		synctest.Wait() // the reader has ended
		drained := make(chan error, 1)
		go func() { drained <- l.Drain(t.Context()) }()
		for _, p := range []Pending{second, first} { // the second waits for the first
			synctest.Wait()
			select {
			case <-drained:
				t.Fatal("drained while a reply is owed")
			default:
			}
			p.Complete(func() Response { return reply([]byte("late")) })
		}
		if err := <-drained; err != nil {
			t.Error(err)
		}
	})
}

func TestIdleAndSlowConnectionsAreClosed(t *testing.T) {
	cases := map[string]struct {
		send  []byte
		after time.Duration
	}{
		"idle":                   {nil, time.Minute},
		"first frame stuck":      {frame(make([]byte, 100_000))[:50], firstFrameWithin},
		"later frame stuck":      {append(frame([]byte("ok")), frame(make([]byte, 100_000))[:50]...), slowFrameAfter},
		"answered and then idle": {frame([]byte("ok")), time.Minute},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := testOptions()
				opts.MaxIdle = time.Minute
				n := newPipeListener()
				l := NewListener(n, opts, echo)
				go l.Serve()
				nc := n.dial()
				go io.Copy(io.Discard, nc)
				start := time.Now()
				if len(c.send) > 0 {
					nc.Write(c.send)
				}
				<-n.closed(nc)
				if lived := time.Since(start); lived < c.after || lived > c.after+3*sweepEvery {
					t.Errorf("closed after %v, want about %v", lived, c.after)
				}
				l.Drain(t.Context())
			})
		})
	}
}

// pipeListener is a network of pipes, for tests that stop the clock.
type pipeListener struct {
	accept chan net.Conn
	done   chan struct{}
	ends   map[net.Conn]chan struct{}
}

type watchedConn struct {
	net.Conn
	gone chan struct{}
	once atomic.Bool
}

func (w *watchedConn) Close() error {
	if w.once.CompareAndSwap(false, true) {
		close(w.gone)
	}
	return w.Conn.Close()
}

func newPipeListener() *pipeListener {
	return &pipeListener{accept: make(chan net.Conn), done: make(chan struct{}), ends: map[net.Conn]chan struct{}{}}
}

func (n *pipeListener) dial() net.Conn {
	ours, theirs := net.Pipe()
	w := &watchedConn{Conn: theirs, gone: make(chan struct{})}
	n.ends[ours] = w.gone
	n.accept <- w
	return ours
}

func (n *pipeListener) closed(c net.Conn) chan struct{} { return n.ends[c] }

func (n *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-n.accept:
		return c, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

func (n *pipeListener) Close() error   { close(n.done); return nil }
func (n *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func TestBufferClasses(t *testing.T) {
	for n, want := range map[int]int{0: 4 << 10, 1: 4 << 10, 4096: 4 << 10, 4097: 16 << 10, 16 << 10: 16 << 10, 65537: 256 << 10, 4 << 20: 4 << 20, 4<<20 + 1: 4<<20 + 1} {
		b := NewBuffer(n)
		if cap(b.B) != want {
			t.Errorf("NewBuffer(%d) has capacity %d, want %d", n, cap(b.B), want)
		}
		b.Release()
	}
}

func BenchmarkEcho(b *testing.B) {
	nl, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	l := NewListener(nl, testOptions(), func(r *Request) {
		buf := NewReply(len(r.Frame))
		buf.B = append(buf.B, r.Frame...)
		r.Reply(Response{Buf: buf})
	})
	go l.Serve()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	msg, in := frame(make([]byte, 100)), make([]byte, 104)
	b.ReportAllocs()
	for b.Loop() {
		nc.Write(msg)
		io.ReadFull(nc, in)
	}
	nc.Close()
	l.Drain(context.Background())
}

// only returns the one connection.
func only(t *testing.T, l *Listener) *Conn {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.list()
	if len(all) != 1 {
		t.Fatalf("%d connections", len(all))
	}
	return all[0]
}
