package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

const (
	// smallRead is how much is read at once while the frames of a connection are small: several pipelined requests
	// come in by one system call.
	smallRead = 4 << 10
	// trusted is how large a frame's buffer may be before any of its bytes have come.
	trusted = 64 << 10
	// seasoned is how many requests make a connection one that goes on: it waits for the next one without a look whether it has
	// come. Whoever says all it has to say at once and ends is heard to the end without delay.
	seasoned = 8
)

// errFrameSize closes a connection whose next frame has a size that no request can have.
var errFrameSize = errors.New("transport: bad frame size")

// intake is what the reader of a connection has of frames that are not complete.
//
// Record bytes are not copied after they left the kernel: a read asks for as much as the last frame had, and for the size
// that precedes the next one. So requests of one size come in by one system call each, whether they are pipelined or not,
// and what belongs to a further frame is those four bytes.
type intake struct {
	buf     *Buffer // the start of a frame, its size first; nil between frames
	held    int     // bytes that buf has of the budget
	frames  int     // that were handled
	last    int     // size of the last frame
	largest int     // size of the largest frame so far: how far a length prefix is believed
}

// serve reads and handles frames until the stream ends.
func (c *Conn) serve() error {
	defer c.drop()
	return c.io.serve(c.read)
}

// read handles what has come, until nothing is left for now.
func (c *Conn) read() error {
	for !c.ending.Load() {
		n, dry, err := c.readSome()
		if err != nil {
			return err
		}
		if n == 0 || dry && c.in.frames >= seasoned {
			c.unsure.Store(n > 0)
			return nil
		}
	}
	return net.ErrClosed
}

// readSome reads once and handles the frames that are complete then.
func (c *Conn) readSome() (n int, dry bool, err error) {
	in := &c.in
	upTo := c.wanted()
	if in.buf == nil {
		c.hold(upTo)
	}
	upTo = min(upTo, cap(in.buf.B)) // which may be what was left of a prefix: it grows with what comes
	from := len(in.buf.B)
	n, dry, err = c.io.take(in.buf.B[from:upTo])
	in.buf.B = in.buf.B[:from+n]
	switch {
	case err == io.EOF && len(in.buf.B) > 0:
		return n, dry, io.ErrUnexpectedEOF
	case err != nil:
		return n, dry, err
	case len(in.buf.B) == 0:
		c.drop() // an idle connection keeps no buffer
		return n, dry, nil
	}
	return n, dry, c.cut()
}

// wanted is how far the buffer should be filled by the next read.
func (c *Conn) wanted() int {
	in := &c.in
	if in.buf != nil && len(in.buf.B) >= sizePrefix {
		return 2*sizePrefix + c.claimed() // with the size of the next frame
	}
	switch n := 2*sizePrefix + in.last; {
	case n <= smallRead:
		return smallRead
	case n <= trusted:
		return n
	}
	return sizePrefix // a larger frame gets a buffer to its measure
}

// claimed is the size of the frame that buf begins with.
func (c *Conn) claimed() int { return int(binary.BigEndian.Uint32(c.in.buf.B)) }

// hold takes an empty buffer. What is more than a small one counts.
func (c *Conn) hold(n int) {
	if n > smallRead {
		c.l.opts.Budget.Acquire(n)
		c.in.held = n
	}
	c.in.buf = NewBuffer(n)
}

// drop gives the buffer back.
func (c *Conn) drop() {
	in := &c.in
	if in.buf != nil {
		in.buf.Release()
		in.buf = nil
	}
	if in.held > 0 {
		c.l.opts.Budget.Release(in.held)
		in.held = 0
	}
}

// cut handles the complete frames in the buffer and keeps what follows them.
func (c *Conn) cut() error {
	in := &c.in
	b := in.buf.B
	for len(b) >= sizePrefix {
		size, err := c.frameSize(b)
		if err != nil {
			return err
		}
		end := sizePrefix + size
		if len(b) < end {
			break
		}
		in.frames++
		in.last, in.largest = size, max(in.largest, size)
		c.started.Store(0)
		c.handle(b[sizePrefix:end:end], in.buf)
		b = b[end:]
	}
	return c.keep(b)
}

func (c *Conn) frameSize(b []byte) (int, error) {
	size := int32(binary.BigEndian.Uint32(b))
	if size < 0 || int64(size) > int64(c.l.opts.MaxFrame) {
		return 0, fmt.Errorf("%w: %d bytes, the limit is %d", errFrameSize, size, c.l.opts.MaxFrame)
	}
	return int(size), nil
}

// keep holds on to b, the start of a frame at the end of the buffer, in a buffer that has room for more.
func (c *Conn) keep(b []byte) error {
	in := &c.in
	if len(b) == 0 {
		c.drop()
		return nil
	}
	if c.started.Load() == 0 {
		c.started.Store(c.l.coarse.Load())
	}
	c.arrived.Store(int64(len(b)))
	room := smallRead
	if len(b) >= sizePrefix {
		whole := 2*sizePrefix + int(binary.BigEndian.Uint32(b))
		if room = min(whole, max(trusted, 4*in.largest)); len(b) >= room {
			room = min(whole, 2*len(b))
		}
	}
	if len(b) == len(in.buf.B) && cap(b) >= room {
		return nil // it lies at the start already
	}
	old := in.buf
	in.buf = nil
	c.drop() // before more is taken: who waits for the budget has nothing of it
	c.hold(room)
	in.buf.B = append(in.buf.B, b...)
	old.Release()
	return nil
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
