package transport

import (
	"io"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ottla/ottla/internal/rawconn"
)

// socket is a TCP connection used through its descriptor: the standard library's sendfile moves the shared position
// of the file and locks it while the peer is slow, so one slow consumer would stall all readers of a segment.
//
// The callbacks are made once, so that no request allocates.
type socket struct {
	tcp   *net.TCPConn
	raw   syscall.RawConn
	disk  *disk
	ahead ahead

	readFn func(fd uintptr) bool
	in     struct {
		step func() error
		fd   int // while step runs
		took int // system calls so far
		err  error
	}

	writeFn func(fd uintptr) bool
	out     struct {
		p    []byte // bytes to send, or
		file uintptr
		pos  int64
		left int64 // bytes of the file to send
		hot  bool  // they are in the page cache
		more bool  // something follows at once
		once bool  // don't wait for room
		rest bool  // what p holds is the rest of a response that sendNow began
		err  error
		took int // system calls so far
		// joined holds a small response with its holes filled.
		joined *Buffer
	}
}

func newStream(nc net.Conn) (stream, error) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return &pipe{nc: nc}, nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	if onThisMachine(tcp) {
		_ = raw.Control(unpaced) // a connection that is closed by now says so when it is read
	}
	s := &socket{tcp: tcp, raw: raw, disk: theDisk}
	s.readFn, s.writeFn = s.onReadable, s.tryWrite
	return s, nil
}

// onThisMachine reports whether the peer is a process of the same machine.
func onThisMachine(tcp *net.TCPConn) bool {
	local, ok := tcp.LocalAddr().(*net.TCPAddr)
	remote, also := tcp.RemoteAddr().(*net.TCPAddr)
	return ok && also && (remote.IP.IsLoopback() || remote.IP.Equal(local.IP))
}

// unpaced takes a connection away from a congestion control that sends at a pace of its own, as BBR does with a timer for each 64 KiB: within a
// machine there is no network to be gentle with. Every Linux has reno and lets everybody choose it.
func unpaced(fd uintptr) {
	_ = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, "reno") // where it fails the connection is right, and paced
}

// serve stays in one Read of the raw connection for good. Each Read forgets the events before it, so that a reader who calls
// it again and again must look each time whether there is something. Within one Read no event is lost: the reader may wait as
// soon as it has had less than it asked for. Only an end of the stream that came together with the last bytes makes no
// event of its own.
func (s *socket) serve(step func() error) error {
	s.in.step = step
	if err := s.raw.Read(s.readFn); err != nil {
		return err
	}
	return s.in.err
}

// onReadable is called when the socket may be readable; false waits until it is.
func (s *socket) onReadable(fd uintptr) bool {
	s.in.fd = int(fd)
	s.in.err = s.in.step()
	return s.in.err != nil
}

func (s *socket) take(p []byte) (n int, dry bool, err error) {
	for {
		s.in.took++
		switch n, err = rawconn.Receive(s.in.fd, p, 0); {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return 0, true, nil
		case err != nil:
			return 0, true, err
		case n == 0:
			return 0, true, io.EOF
		}
		if n > busyFrame {
			s.disk.touch()
		}
		return n, n < len(p), nil
	}
}

func (s *socket) send(r *Response) error {
	if len(r.Holes) == 0 {
		return s.write(r.Buf.B, false)
	}
	return s.sendWithHoles(r)
}

// sendNow copies a small response into one piece and sends it by one call.
func (s *socket) sendNow(r *Response) (done bool, err error) {
	if !r.small() {
		return false, nil
	}
	p := r.Buf.B
	if len(r.Holes) > 0 {
		for _, h := range r.Holes {
			c, _ := firstChunk(h)
			s.disk.copied(c)
		}
		if s.out.joined, err = r.join(); err != nil {
			s.unjoin()
			return true, err
		}
		p = s.out.joined.B
	}
	s.out.once = true
	err = s.write(p, false)
	s.out.once = false
	if s.out.rest = err == nil && len(s.out.p) > 0; s.out.rest {
		return false, nil
	}
	s.unjoin()
	return true, err
}

func (s *socket) sendRest(r *Response) error {
	if !s.out.rest {
		return s.send(r)
	}
	s.out.rest = false
	err := s.write(s.out.p, false)
	s.unjoin()
	return err
}

func (s *socket) unjoin() {
	if s.out.joined != nil {
		s.out.joined.Release()
		s.out.joined = nil
	}
}

// sendWithHoles sends small ranges by copy, joined with the bytes around them, and large ones without.
func (s *socket) sendWithHoles(r *Response) error {
	joined := NewBuffer(smallRead)
	defer func() { joined.Release() }()
	defer s.ahead.drop(s.disk)
	from := 0
	for i, h := range r.Holes {
		joined.B = append(joined.B, r.Buf.B[from:h.At]...)
		from = h.At
		if c, ok := firstChunk(h); !ok {
			s.disk.copied(c)
			var err error
			if joined, err = copyRange(joined, h.Range); err != nil {
				return err
			}
			continue
		}
		if err := s.write(joined.B, true); err != nil {
			return err
		}
		joined.B = joined.B[:0]
		if err := s.sendRange(r.Holes[i:]); err != nil {
			return err
		}
	}
	joined.B = append(joined.B, r.Buf.B[from:]...)
	return s.write(joined.B, false)
}

func (s *socket) write(p []byte, more bool) error {
	if len(p) == 0 {
		return nil
	}
	s.out.p, s.out.left, s.out.more, s.out.err = p, 0, more, nil
	if err := s.raw.Write(s.writeFn); err != nil {
		return err
	}
	return s.out.err
}

// sendRange sends the first of the ranges, in chunks: by sendfile what is in the page cache, and else what the disk gives. While the one is sent
// the disk reads the next, which may be of the next range.
func (s *socket) sendRange(holes []Hole) error {
	c, more := firstChunk(holes[0])
	for more {
		found := s.ahead.take(s.disk, c)
		err := found.err
		next, again := c.next(holes[0].Range.Len())
		switch {
		case err != nil:
			return err
		case found.buf == nil:
			err = s.sendfile(c, found.presence)
		default:
			if again {
				s.ahead.begin(s.disk, next)
			} else if len(holes) > 1 {
				if first, ok := firstChunk(holes[1]); ok {
					s.ahead.begin(s.disk, first)
				}
			}
			err = s.write(found.buf.B, true)
			s.disk.release(found.buf)
		}
		if err != nil {
			return err
		}
		c, more = next, again
	}
	return nil
}

func (s *socket) sendfile(c chunk, p presence) error {
	s.out.p, s.out.file, s.out.pos, s.out.left, s.out.err = nil, c.file, c.pos, int64(c.size), nil
	s.out.hot = p == hot || p == trailed
	if p == hot {
		s.disk.touch()
	}
	if err := s.raw.Write(s.writeFn); err != nil {
		return err
	}
	return s.out.err
}

// tryWrite sends what it can; false waits until the socket has room.
func (s *socket) tryWrite(fd uintptr) bool {
	for len(s.out.p) > 0 || s.out.left > 0 {
		err := s.step(int(fd))
		switch err {
		case nil, unix.EINTR:
		case unix.EAGAIN:
			return s.out.once
		default:
			s.out.err = err
			return true
		}
	}
	return true
}

func (s *socket) step(fd int) error {
	s.out.took++
	if len(s.out.p) > 0 {
		flags := 0
		if s.out.more {
			flags = unix.MSG_MORE
		}
		n, err := rawconn.Transmit(fd, s.out.p, flags)
		s.out.p = s.out.p[max(n, 0):]
		return err
	}
	before := s.out.pos
	n, err := sendfile(fd, s.out.file, &s.out.pos, int(s.out.left), s.out.hot)
	s.out.left -= s.out.pos - before
	if err == nil && n == 0 {
		return io.ErrUnexpectedEOF // the file is shorter than the range: what was promised can't be sent
	}
	return err
}

func (s *socket) stopReading() { _ = s.tcp.SetReadDeadline(time.Unix(1, 0)) }

func (s *socket) ended() (yes bool) {
	_ = s.raw.Control(func(fd uintptr) { // a closed one has been seen to end
		var one [1]byte
		n, err := rawconn.Receive(int(fd), one[:], unix.MSG_PEEK)
		yes = n == 0 && err != unix.EAGAIN && err != unix.EINTR // a reset is told only once: it counts
	})
	return yes
}

// hangUp leaves the descriptor open: the reader, which may be the caller, is within a Read, and Close waits for that.
func (s *socket) hangUp() {
	_ = s.raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_RDWR) }) // one that the peer ended first is no more connected
}

func (s *socket) close() error { return s.tcp.Close() }
