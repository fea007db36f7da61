package rawconn

import (
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// New returns nc with quick reads and writes, if it is a TCP connection, else nc itself. One goroutine at a time may read, and one may write.
func New(nc net.Conn) net.Conn {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nc
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nc // its first use says what is wrong with it
	}
	c := &conn{TCPConn: tcp, raw: raw}
	c.receiveFn, c.transmitFn = c.receive, c.transmit
	return c
}

// conn is a TCP connection used through its descriptor. The callbacks are made once, so that no call allocates.
type conn struct {
	*net.TCPConn
	raw syscall.RawConn

	receiveFn, transmitFn func(fd uintptr) bool

	in, out struct {
		p   []byte
		n   int
		err error
	}
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.in.p = p
	err := c.raw.Read(c.receiveFn)
	n := c.in.n
	if err == nil {
		err = c.in.err
	}
	c.in.p, c.in.n, c.in.err = nil, 0, nil
	return n, err
}

// receive is called when the socket may be readable; false waits until it is.
func (c *conn) receive(fd uintptr) bool {
	for {
		n, err := Receive(int(fd), c.in.p, 0)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return false
		case err != nil:
			c.in.err = os.NewSyscallError("recvfrom", err)
		case n == 0:
			c.in.err = io.EOF
		}
		c.in.n = n
		return true
	}
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	c.out.p = p
	err := c.raw.Write(c.transmitFn)
	n := c.out.n
	if err == nil {
		err = c.out.err
	}
	c.out.p, c.out.n, c.out.err = nil, 0, nil
	return n, err
}

// transmit sends what it can; false waits until the socket has room.
func (c *conn) transmit(fd uintptr) bool {
	for c.out.n < len(c.out.p) {
		n, err := Transmit(int(fd), c.out.p[c.out.n:], 0)
		switch err {
		case nil:
			c.out.n += n
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			c.out.err = os.NewSyscallError("sendto", err)
			return true
		}
	}
	return true
}
