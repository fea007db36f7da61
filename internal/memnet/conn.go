package memnet

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how many bytes are on their way in one direction before a writer waits.
const window = 256 << 10

// pair is a connection: two ends, and what is on its way between them. Whatever changes wakes all that wait: they are four at the most.
type pair struct {
	net   *Net
	hosts [2]*Host
	ends  [2]end

	mu    sync.Mutex // a leaf: guards the ends' fields below their comment
	moved sync.Cond
}

// end is one side of a connection. It implements net.Conn.
type end struct {
	pair          *pair
	other         *end
	out           link // which way its bytes go
	local, remote address

	// Of the pair's lock.
	sent             bytes.Buffer // on its way to the other end
	closed           bool
	died             bool // with its host: the other end is told by a reset, not by the end of the stream
	mute             bool // what it writes is lost, and the connection with it
	reading, writing deadline
}

func newPair(n *Net, from, to *Host, near, far address) *pair {
	p := &pair{net: n, hosts: [2]*Host{from, to}}
	p.moved.L = &p.mu
	p.ends[0] = end{pair: p, other: &p.ends[1], out: link{from.name, to.name}, local: near, remote: far}
	p.ends[1] = end{pair: p, other: &p.ends[0], out: link{to.name, from.name}, local: far, remote: near}
	return p
}

// stir has all who wait look again.
func (p *pair) stir() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moved.Broadcast()
}

// held reports whether what this end sends does not arrive for now.
func (e *end) held() bool { return e.pair.net.rules.Load().held(e.out) }

// Read implements net.Conn.
func (e *end) Read(b []byte) (int, error) {
	p := e.pair
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case e.closed:
			return 0, e.error("read", net.ErrClosed)
		case e.reading.past:
			return 0, e.error("read", os.ErrDeadlineExceeded)
		case len(b) == 0:
			return 0, nil
		case e.other.held():
		case e.other.sent.Len() > 0:
			n, _ := e.other.sent.Read(b) // it holds something
			p.moved.Broadcast()
			return n, nil
		case e.other.died:
			return 0, e.error("read", os.NewSyscallError("read", syscall.ECONNRESET))
		case e.other.closed:
			return 0, io.EOF
		}
		p.moved.Wait()
	}
}

// Write implements net.Conn.
func (e *end) Write(b []byte) (n int, err error) {
	p := e.pair
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch room := window - e.sent.Len(); {
		case e.closed:
			return n, e.error("write", net.ErrClosed)
		case e.writing.past:
			return n, e.error("write", os.ErrDeadlineExceeded)
		case e.other.closed && !e.other.held(): // that it is closed comes the other way
			return n, e.error("write", os.NewSyscallError("write", syscall.EPIPE))
		case len(b) == 0:
			return n, nil
		case e.mute:
			e.closed, e.died = true, true
			p.moved.Broadcast()
			return n, e.error("write", net.ErrClosed)
		case room > 0:
			some := b[:min(room, len(b))]
			n += len(some)
			b = b[len(some):]
			e.sent.Write(some)
			p.moved.Broadcast()
			continue
		}
		p.moved.Wait()
	}
}

func (e *end) error(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: e.local, Addr: e.remote, Err: err}
}

// Close implements net.Conn. What was written still arrives.
func (e *end) Close() error {
	e.close(false)
	return nil
}

func (e *end) close(died bool) {
	p := e.pair
	p.mu.Lock()
	if !e.closed {
		e.closed, e.died = true, died
	}
	e.reading.stop()
	e.writing.stop()
	both := e.other.closed
	p.moved.Broadcast()
	p.mu.Unlock()
	if both {
		p.net.forget(p)
	}
}

// LocalAddr implements net.Conn.
func (e *end) LocalAddr() net.Addr { return e.local }

// RemoteAddr implements net.Conn.
func (e *end) RemoteAddr() net.Addr { return e.remote }

// SetDeadline implements net.Conn.
func (e *end) SetDeadline(t time.Time) error {
	_ = e.SetReadDeadline(t) // it says the same as the other
	return e.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (e *end) SetReadDeadline(t time.Time) error { return e.set("set", &e.reading, t) }

// SetWriteDeadline implements net.Conn.
func (e *end) SetWriteDeadline(t time.Time) error { return e.set("set", &e.writing, t) }

func (e *end) set(op string, d *deadline, t time.Time) error {
	p := e.pair
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.closed {
		return e.error(op, net.ErrClosed)
	}
	d.stop()
	if d.past = !t.IsZero() && !t.After(time.Now()); !d.past && !t.IsZero() {
		turn := d.turn
		d.timer = time.AfterFunc(time.Until(t), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if d.turn == turn {
				d.past = true
				p.moved.Broadcast()
			}
		})
	}
	p.moved.Broadcast()
	return nil
}

// deadline is until when an end reads or writes.
type deadline struct {
	past  bool
	timer *time.Timer // nil for none
	turn  int         // counts those that were set: a timer of an earlier one says nothing
}

func (d *deadline) stop() {
	d.turn++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
