package transport

import (
	"net"
	"time"
)

// pipe is a stream without a descriptor: an in-process network, or later TLS. Everything is copied.
type pipe struct{ nc net.Conn }

func (p *pipe) serve(step func() error) error {
	for {
		if err := step(); err != nil {
			return err
		}
	}
}

// take waits for at least one byte.
func (p *pipe) take(b []byte) (n int, dry bool, err error) {
	n, err = p.nc.Read(b)
	if n > 0 {
		err = nil
	}
	return n, true, err
}

func (p *pipe) send(r *Response) error {
	all, err := r.join()
	if err == nil {
		_, err = p.nc.Write(all.B)
	}
	all.Release()
	return err
}

// sendNow leaves it to sendRest: a pipe has no room.
func (p *pipe) sendNow(*Response) (bool, error) { return false, nil }

func (p *pipe) sendRest(r *Response) error { return p.send(r) }

func (p *pipe) stopReading() { _ = p.nc.SetReadDeadline(time.Unix(1, 0)) }

func (p *pipe) ended() bool { return false } // take has seen it

func (p *pipe) hangUp() { _ = p.nc.Close() } // the peer learns of it either way

func (p *pipe) close() error { return p.nc.Close() }
