package transport

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// maxPending bounds the requests of one connection that have no reply yet; past it the connection is not read.
const maxPending = 128

// Conn is one client's connection.
//
// The reader goroutine calls the handler for each frame. Replies wait in a ring, one slot a request. Whoever completes
// the slot at the head becomes the writer unless there is one: the reader writes in place, and so does whoever has the time,
// as far as the socket has room; anybody else starts a goroutine. The writer sends slots until the head is not complete,
// then steps down. So a reply costs no hop in the common case, nobody blocks on another connection's socket, and an idle
// connection has one goroutine and no buffer.
type Conn struct {
	l      *Listener
	io     stream
	remote net.Addr
	local  net.Addr

	// State is whatever the handler keeps for this connection. Only the reader goroutine touches it.
	State any

	in         intake        // of the reader
	tokens     chan struct{} // one for each request without a reply
	request    Request       // the one that the handler has now
	drainAside func()        // drain, for a goroutine of its own
	reply      Response      // the one that the writer sends now
	silent     bool          // nothing goes out for it

	progress atomic.Int64 // unix nanoseconds of the last completed frame or reply
	started  atomic.Int64 // unix nanoseconds since when a frame is incomplete; 0 between frames
	arrived  atomic.Int64 // bytes of the incomplete frame
	ending   atomic.Bool  // nothing more is read
	unsure   atomic.Bool  // the reader waits, and may have overlooked the end of the stream: the sweep looks

	mu      sync.Mutex // guards the ring and writing
	ring    []slot     // length is a power of two
	head    uint64     // sequence of the oldest request without a sent reply
	tail    uint64     // sequence of the next request
	writing bool
	dead    bool
	left    bool // the reader has ended: whoever sends the last reply ends the connection's part in the listener's work
}

type slot struct {
	ready bool
	resp  Response
	build func() Response
}

// stream is the byte stream below: a TCP socket, or a pipe where there is no descriptor or no sendfile.
type stream interface {
	// serve calls step when there may be something to read, again and again until it returns an error, which serve returns.
	serve(step func() error) error
	// take reads what there is, for step: perhaps nothing. Dry says that there is no more for now, so that step should end.
	// It may be wrong about the end of the stream: see ended.
	take(p []byte) (n int, dry bool, err error)
	// ended looks whether nothing but the end of the stream is left to read.
	ended() bool
	// send writes a sealed response.
	send(r *Response) error
	// sendNow writes one if it is small, as far as the peer takes it without waiting. Unless it is done, sendRest sends what is left.
	sendNow(r *Response) (done bool, err error)
	sendRest(r *Response) error
	// stopReading ends a wait of serve.
	stopReading()
	// hangUp ends the conversation, so that nobody waits for the peer any more. Anybody may call it, also within step.
	hangUp()
	// close gives back what the stream holds, once serve has returned.
	close() error
}

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// LocalAddr is our address of the connection.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// Listener is the listener that accepted the connection.
func (c *Conn) Listener() *Listener { return c.l }

// Request is one frame. It is valid only while the handler runs.
type Request struct {
	Conn     *Conn
	Frame    []byte // header and body, without the size
	Received time.Time

	owner   *Buffer
	seq     uint64
	settled bool
}

// Reply sends the answer from the handler, and waits until the peer has room for it. Exactly one of Reply, ReplyNow and Defer is called
// for each request.
func (r *Request) Reply(resp Response) {
	if r.hand(resp) {
		r.Conn.drain()
	}
}

// ReplyNow is Reply for a handler that has more to do: it never waits for the peer.
func (r *Request) ReplyNow(resp Response) {
	if r.hand(resp) {
		r.Conn.drainHere()
	}
}

// hand puts the answer in its place, and reports whether that makes the caller the writer.
func (r *Request) hand(resp Response) (write bool) {
	r.settle()
	c := r.Conn
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(r.seq, slot{ready: true, resp: resp})
	return c.claim()
}

// Defer leaves the answer to Pending.Complete. With hold, Frame stays valid until the answer is built.
func (r *Request) Defer(hold bool) Pending {
	r.settle()
	p := Pending{c: r.Conn, seq: r.seq}
	if hold {
		r.owner.Retain()
		p.owner = r.owner
	}
	return p
}

func (r *Request) settle() {
	if r.settled {
		panic("transport: request answered twice")
	}
	r.settled = true
}

// Pending is the place of a reply that is not known yet.
type Pending struct {
	c     *Conn
	seq   uint64
	owner *Buffer
}

// Gone reports whether nobody waits for the answer any more: the connection is closed. It must be completed all the same.
func (p Pending) Gone() bool {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	return p.c.dead
}

// Complete hands in the answer, once, from any goroutine, and never blocks: build runs on the connection's writer,
// when all earlier replies are on their way.
func (p Pending) Complete(build func() Response) {
	if p.hand(build) {
		p.c.l.work.Go(p.c.drainAside)
	}
}

// CompleteHere is Complete by a caller with time on its hands: it may build and send the answer itself, as far as that needs no
// waiting for the peer, instead of waking somebody who does.
func (p Pending) CompleteHere(build func() Response) {
	if p.hand(build) {
		p.c.drainHere()
	}
}

// hand puts the answer in its place, and reports whether that makes the caller the writer.
func (p Pending) hand(build func() Response) (write bool) {
	if owner := p.owner; owner != nil {
		inner := build
		build = func() Response {
			defer owner.Release()
			return inner()
		}
	}
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	p.c.put(p.seq, slot{ready: true, build: build})
	return p.c.claim()
}

// put stores a slot. The caller holds mu.
func (c *Conn) put(seq uint64, s slot) { c.ring[seq&uint64(len(c.ring)-1)] = s }

// claim makes the caller the writer if the head is ready and nobody writes. The caller holds mu.
func (c *Conn) claim() bool {
	if c.writing || c.head == c.tail || !c.ring[c.head&uint64(len(c.ring)-1)].ready {
		return false
	}
	c.writing = true
	return true
}

// drain sends replies until the head is not ready.
func (c *Conn) drain() {
	for c.next() {
		var err error
		if !c.silent {
			err = c.io.send(&c.reply)
		}
		c.sent(err)
	}
}

// drainHere is drain as far as it goes without waiting; the rest is left to a goroutine.
func (c *Conn) drainHere() {
	for c.next() {
		var err error
		if !c.silent {
			var done bool
			if done, err = c.io.sendNow(&c.reply); !done {
				c.l.work.Go(c.drainRest)
				return
			}
		}
		c.sent(err)
	}
}

// drainRest goes on where drainHere would have had to wait.
func (c *Conn) drainRest() {
	c.sent(c.io.sendRest(&c.reply))
	c.drain()
}

// next makes the reply at the head the one that is sent now. If it is not ready the caller is the writer no more.
func (c *Conn) next() bool {
	c.mu.Lock()
	i := c.head & uint64(len(c.ring)-1)
	if c.head == c.tail || !c.ring[i].ready {
		c.writing = false
		last := c.left && c.head == c.tail
		c.mu.Unlock()
		if last {
			c.l.work.Done()
		}
		return false
	}
	s := c.ring[i]
	c.ring[i] = slot{}
	c.head++
	dead := c.dead
	c.mu.Unlock()
	c.reply = s.resp
	if s.build != nil {
		c.reply = s.build()
	}
	if c.silent = dead || c.reply.empty(); !c.silent {
		c.reply.seal()
	}
	return true
}

// sent ends the sending of a reply.
func (c *Conn) sent(err error) {
	closing := c.reply.Close || err != nil
	c.progress.Store(c.l.coarse.Load())
	c.reply.release()
	if closing {
		c.kill()
	}
	<-c.tokens
}

// leave ends the reader's part in the listener's work, or leaves it to the writer of the last reply that is owed: while one
// is, a writer may begin, which must not be the first work after Drain has seen none.
func (c *Conn) leave() {
	c.mu.Lock()
	c.left = true
	last := c.head == c.tail && !c.writing
	c.mu.Unlock()
	if last {
		c.l.work.Done()
	}
}

// kill hangs up. Replies that are still to come are built and dropped, so that their references go.
func (c *Conn) kill() {
	c.mu.Lock()
	dead := c.dead
	c.dead = true
	c.mu.Unlock()
	if !dead {
		c.ending.Store(true)
		c.io.hangUp()
	}
}

// stopReading makes the reader end before its next request.
func (c *Conn) stopReading() {
	c.ending.Store(true)
	c.io.stopReading()
}

// begin makes a slot for the next request.
func (c *Conn) begin() uint64 {
	c.tokens <- struct{}{}
	c.mu.Lock()
	defer c.mu.Unlock()
	if int(c.tail-c.head) == len(c.ring) {
		c.grow()
	}
	seq := c.tail
	c.tail++
	c.put(seq, slot{})
	return seq
}

func (c *Conn) grow() {
	ring := make([]slot, max(4, 2*len(c.ring)))
	for s := c.head; s != c.tail; s++ {
		ring[s&uint64(len(ring)-1)] = c.ring[s&uint64(len(c.ring)-1)]
	}
	c.ring = ring
}
