package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// smallRead is how much is read at once while the frames of a connection are small: several pipelined requests
	// come in by one system call.
	smallRead = 4 << 10
	// trusted is how large a frame's buffer may be before any of its bytes have come.
	trusted = 64 << 10
	// maxPending bounds the requests of one connection that have no reply yet; past it the connection is not read.
	maxPending = 128
)

// errFrameSize closes a connection whose next frame has a size that no request can have.
var errFrameSize = errors.New("transport: bad frame size")

// Conn is one client's connection.
//
// The reader goroutine calls the handler for each frame. Replies wait in a ring, one slot a request. Whoever completes
// the slot at the head becomes the writer unless there is one: the reader writes in place, anybody else starts a
// goroutine. The writer sends slots until the head is not complete, then steps down. So a reply costs no hop in the
// common case, nobody blocks on another connection's socket, and an idle connection has one goroutine and no buffer.
type Conn struct {
	l      *Listener
	io     stream
	remote net.Addr
	local  net.Addr

	// State is whatever the handler keeps for this connection. Only the reader goroutine touches it.
	State any

	tokens     chan struct{} // one for each request without a reply
	largest    int           // size of the largest frame so far: how far a length prefix is believed
	request    Request       // the one that the handler has now
	drainAside func()        // drain, for a goroutine of its own
	reply      Response      // the one that the writer sends now

	progress atomic.Int64 // unix nanoseconds of the last completed frame or reply
	started  atomic.Int64 // unix nanoseconds since when a frame is incomplete; 0 between frames
	arrived  atomic.Int64 // bytes of the incomplete frame

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

// stream is the byte stream below: a TCP socket, or a pipe in tests.
type stream interface {
	// read reads between one and limit bytes into a new small buffer, which it takes only when there is something
	// to read.
	read(limit int) (*Buffer, error)
	// readInto reads at least one byte.
	readInto(p []byte) (int, error)
	// send writes a sealed response.
	send(r *Response) error
	// stopReading makes a blocked read return.
	stopReading()
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

// Reply sends the answer from the handler. Exactly one of Reply and Defer is called for each request.
func (r *Request) Reply(resp Response) {
	r.settle()
	c := r.Conn
	c.mu.Lock()
	c.put(r.seq, slot{ready: true, resp: resp})
	write := c.claim()
	c.mu.Unlock()
	if write {
		c.drain()
	}
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
	if owner := p.owner; owner != nil {
		inner := build
		build = func() Response {
			defer owner.Release()
			return inner()
		}
	}
	p.c.mu.Lock()
	p.c.put(p.seq, slot{ready: true, build: build})
	write := p.c.claim()
	p.c.mu.Unlock()
	if write {
		p.c.l.work.Go(p.c.drainAside)
	}
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
	for {
		c.mu.Lock()
		i := c.head & uint64(len(c.ring)-1)
		if c.head == c.tail || !c.ring[i].ready {
			c.writing = false
			last := c.left && c.head == c.tail
			c.mu.Unlock()
			if last {
				c.l.work.Done()
			}
			return
		}
		s := c.ring[i]
		c.ring[i] = slot{}
		c.head++
		dead := c.dead
		c.mu.Unlock()
		c.send(s, dead)
		<-c.tokens
	}
}

func (c *Conn) send(s slot, dead bool) {
	resp := &c.reply
	*resp = s.resp
	if s.build != nil {
		*resp = s.build()
	}
	closing := resp.Close
	if !resp.empty() && !dead {
		resp.seal()
		if err := c.io.send(resp); err != nil {
			closing = true
		}
		c.progress.Store(c.l.opts.Now().UnixNano())
	}
	resp.release()
	if closing && !dead {
		c.kill()
	}
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

// kill closes the socket. Replies that are still to come are built and dropped, so that their references go.
func (c *Conn) kill() {
	c.mu.Lock()
	dead := c.dead
	c.dead = true
	c.mu.Unlock()
	if !dead {
		_ = c.io.close() // the peer learns of it either way
	}
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

// serve reads frames until the stream ends.
func (c *Conn) serve() error {
	bulk := false // the last frame was large: read the size alone, so that no record byte is copied
	var rest *Buffer
	defer func() {
		if rest != nil {
			rest.Release()
		}
	}()
	for {
		var err error
		if rest, err = c.frames(rest, &bulk); err != nil {
			return err
		}
	}
}

// frames handles what one read brings: whole frames in place, the start of a further one by carrying it into a
// buffer of its own. It returns the buffer that holds the start of a size prefix, or nil.
func (c *Conn) frames(rest *Buffer, bulk *bool) (*Buffer, error) {
	buf, err := c.fill(rest, *bulk)
	if err != nil {
		return nil, err
	}
	b := buf.B
	for len(b) >= sizePrefix {
		size, err := c.frameSize(b)
		if err != nil {
			buf.Release()
			return nil, err
		}
		*bulk = size > smallRead
		if len(b)-sizePrefix < size {
			err := c.carry(b[sizePrefix:], size)
			buf.Release()
			return nil, err
		}
		c.handle(b[sizePrefix:sizePrefix+size:sizePrefix+size], buf)
		b = b[sizePrefix+size:]
	}
	if len(b) == 0 {
		buf.Release()
		return nil, nil
	}
	short := NewBuffer(smallRead)
	short.B = append(short.B, b...)
	buf.Release()
	return short, nil
}

// fill reads more: up to smallRead bytes, or in bulk no more than a size prefix.
func (c *Conn) fill(rest *Buffer, bulk bool) (*Buffer, error) {
	limit := smallRead
	if bulk {
		limit = sizePrefix
	}
	if rest == nil {
		return c.io.read(limit)
	}
	n, err := c.io.readInto(rest.B[len(rest.B):limit])
	rest.B = rest.B[:len(rest.B)+n]
	if err != nil {
		rest.Release()
	}
	return rest, err
}

func (c *Conn) frameSize(b []byte) (int, error) {
	size := int32(binary.BigEndian.Uint32(b))
	if size < 0 || int64(size) > int64(c.l.opts.MaxFrame) {
		return 0, fmt.Errorf("%w: %d bytes, the limit is %d", errFrameSize, size, c.l.opts.MaxFrame)
	}
	return int(size), nil
}

// carry reads the rest of a frame of which start has come, and handles it.
func (c *Conn) carry(start []byte, size int) error {
	c.started.Store(c.l.opts.Now().UnixNano())
	defer c.started.Store(0)
	believed := min(size, max(trusted, 4*c.largest))
	c.l.opts.Budget.Acquire(believed)
	defer func() { c.l.opts.Budget.Release(believed) }()
	buf := NewBuffer(believed)
	buf.B = append(buf.B, start...)
	for len(buf.B) < size {
		if len(buf.B) == cap(buf.B) {
			grown := min(size, 2*cap(buf.B))
			c.l.opts.Budget.Acquire(grown - believed)
			believed = grown
			buf = enlarge(buf, grown)
		}
		n, err := c.io.readInto(buf.B[len(buf.B):min(size, cap(buf.B))])
		buf.B = buf.B[:len(buf.B)+n]
		c.arrived.Store(int64(len(buf.B)))
		if err != nil {
			buf.Release()
			if errors.Is(err, io.EOF) {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	c.largest = max(c.largest, size)
	c.handle(buf.B, buf)
	buf.Release()
	return nil
}

// enlarge moves a frame whose length is not yet believed into a larger buffer.
func enlarge(old *Buffer, capacity int) *Buffer {
	b := NewBuffer(capacity)
	b.B = append(b.B, old.B...)
	old.Release()
	return b
}

func (c *Conn) handle(frame []byte, owner *Buffer) {
	now := c.l.opts.Now()
	c.progress.Store(now.UnixNano())
	r := &c.request
	*r = Request{Conn: c, Frame: frame, Received: now, owner: owner, seq: c.begin()}
	c.l.handler(r)
	if !r.settled {
		panic("transport: the handler neither replied nor deferred")
	}
}
