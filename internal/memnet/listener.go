package memnet

import (
	"net"
	"sync"
)

// backlog is how many connections wait to be accepted; who dials beyond it waits.
const backlog = 128

type listener struct {
	host  *Host
	addr  address
	queue chan *end
	done  chan struct{}
	once  sync.Once
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case e := <-l.queue:
		return e, nil
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
}

// Close implements net.Listener. Connections that nobody accepted end.
func (l *listener) Close() error {
	l.once.Do(func() {
		n := l.host.net
		n.mu.Lock()
		delete(n.listeners, string(l.addr))
		n.mu.Unlock()
		close(l.done)
	})
	l.closeLeft()
	return nil
}

// closeLeft ends what is in the queue of a listener that is closed.
func (l *listener) closeLeft() {
	select {
	case <-l.done:
	default:
		return
	}
	for {
		select {
		case e := <-l.queue:
			_ = e.Close() // it can't fail
		default:
			return
		}
	}
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.addr }
