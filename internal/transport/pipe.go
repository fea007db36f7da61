package transport

import (
	"net"
	"time"
)

// pipe is a stream without a descriptor: an in-process network, or later TLS. Everything is copied.
type pipe struct{ nc net.Conn }

func (p *pipe) read(limit int) (*Buffer, error) {
	b := NewBuffer(smallRead)
	n, err := p.readInto(b.B[:limit])
	if err != nil {
		b.Release()
		return nil, err
	}
	b.B = b.B[:n]
	return b, nil
}

func (p *pipe) readInto(b []byte) (int, error) {
	n, err := p.nc.Read(b)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (p *pipe) send(r *Response) error {
	all := NewBuffer(len(r.Buf.B))
	defer func() { all.Release() }()
	from := 0
	for _, h := range r.Holes {
		all.B = append(all.B, r.Buf.B[from:h.At]...)
		from = h.At
		var err error
		if all, err = copyRange(all, h.Range); err != nil {
			return err
		}
	}
	all.B = append(all.B, r.Buf.B[from:]...)
	_, err := p.nc.Write(all.B)
	return err
}

// copyRange appends the bytes of a range; the buffer may be exchanged for a larger one.
func copyRange(to *Buffer, r Range) (*Buffer, error) {
	n := int(r.Len())
	at := len(to.B)
	if at+n > cap(to.B) {
		larger := NewBuffer(at + n)
		larger.B = append(larger.B, to.B...)
		to.Release()
		to = larger
	}
	to.B = to.B[:at+n]
	_, err := r.ReadAt(to.B[at:], 0)
	return to, err
}

func (p *pipe) stopReading() { _ = p.nc.SetReadDeadline(time.Unix(1, 0)) }

func (p *pipe) close() error { return p.nc.Close() }
