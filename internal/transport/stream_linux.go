package transport

import (
	"io"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// copyBelow is the size up to which a file range is read into memory and sent with its neighbours in one call;
// above it sendfile is cheaper.
const copyBelow = 16 << 10

// socket is a TCP connection used through its descriptor: the standard library's sendfile moves the shared position
// of the file and locks it while the peer is slow, so one slow consumer would stall all readers of a segment.
//
// The callbacks are made once, so that no request allocates.
type socket struct {
	tcp *net.TCPConn
	raw syscall.RawConn

	readFn func(fd uintptr) bool
	in     struct {
		limit int     // take a new buffer for so many bytes, or
		p     []byte  // read into p
		buf   *Buffer // the new buffer
		n     int
		err   error
	}

	writeFn func(fd uintptr) bool
	out     struct {
		p    []byte // bytes to send, or
		file uintptr
		pos  int64
		left int64 // bytes of the file to send
		more bool  // something follows at once
		err  error
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
	s := &socket{tcp: tcp, raw: raw}
	s.readFn, s.writeFn = s.tryRead, s.tryWrite
	return s, nil
}

func (s *socket) read(limit int) (*Buffer, error) {
	s.in.limit = limit
	err := s.await()
	buf := s.in.buf
	s.in.limit, s.in.buf = 0, nil
	if err != nil {
		if buf != nil {
			buf.Release()
		}
		return nil, err
	}
	buf.B = buf.B[:s.in.n]
	return buf, nil
}

func (s *socket) readInto(p []byte) (int, error) {
	s.in.p = p
	if err := s.await(); err != nil {
		return 0, err
	}
	return s.in.n, nil
}

func (s *socket) await() error {
	s.in.n, s.in.err = 0, nil
	if err := s.raw.Read(s.readFn); err != nil {
		return err
	}
	if s.in.err == nil && s.in.n == 0 {
		return io.EOF
	}
	return s.in.err
}

// tryRead is called when the socket may be readable; false waits until it is.
func (s *socket) tryRead(fd uintptr) bool {
	p := s.in.p
	if s.in.limit > 0 {
		s.in.buf = NewBuffer(smallRead)
		p = s.in.buf.B[:s.in.limit]
	}
	for {
		s.in.n, s.in.err = unix.Read(int(fd), p)
		if s.in.err != unix.EINTR {
			break
		}
	}
	s.in.n = max(s.in.n, 0)
	if s.in.err == unix.EAGAIN && s.in.buf != nil {
		s.in.buf.Release() // an idle connection keeps no buffer
		s.in.buf = nil
	}
	return s.in.err != unix.EAGAIN
}

func (s *socket) send(r *Response) error {
	if len(r.Holes) == 0 {
		return s.write(r.Buf.B, false)
	}
	return s.sendWithHoles(r)
}

// sendWithHoles sends small ranges by copy, joined with the bytes around them, and large ones by sendfile.
func (s *socket) sendWithHoles(r *Response) error {
	joined := NewBuffer(smallRead)
	defer func() { joined.Release() }()
	from := 0
	for _, h := range r.Holes {
		joined.B = append(joined.B, r.Buf.B[from:h.At]...)
		from = h.At
		file, pos, ok := h.Range.File()
		if !ok || h.Range.Len() <= copyBelow {
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
		if err := s.sendfile(file, pos, h.Range.Len()); err != nil {
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
	s.out.p = nil
	return s.out.err
}

func (s *socket) sendfile(file uintptr, pos, n int64) error {
	s.out.p, s.out.file, s.out.pos, s.out.left, s.out.err = nil, file, pos, n, nil
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
			return false
		default:
			s.out.err = err
			return true
		}
	}
	return true
}

func (s *socket) step(fd int) error {
	if len(s.out.p) > 0 {
		flags := unix.MSG_NOSIGNAL
		if s.out.more {
			flags |= unix.MSG_MORE
		}
		n, err := unix.SendmsgN(fd, s.out.p, nil, nil, flags)
		s.out.p = s.out.p[max(n, 0):]
		return err
	}
	before := s.out.pos
	n, err := unix.Sendfile(fd, int(s.out.file), &s.out.pos, int(min(s.out.left, 1<<30)))
	s.out.left -= s.out.pos - before
	if err == nil && n == 0 {
		return io.ErrUnexpectedEOF // the file is shorter than the range: what was promised can't be sent
	}
	return err
}

func (s *socket) stopReading() { _ = s.tcp.SetReadDeadline(time.Unix(1, 0)) }

func (s *socket) close() error { return s.tcp.Close() }
