package memnet

import (
	"context"
	"io"
	"net"
	"sync"
)

// Door lets clients of the machine's own network in: what they send to its socket goes to the same address within the net, as from a host of
// its own.
type Door struct {
	socket net.Listener
	host   *Host
	to     string
	life   context.Context
	end    context.CancelFunc
	work   sync.WaitGroup
}

// NewDoor has those who connect to socket speak with whoever listens at its address in the net. The door closes the socket.
func NewDoor(n *Net, as string, socket net.Listener) *Door {
	d := &Door{socket: socket, host: n.Host(as), to: socket.Addr().String()}
	d.life, d.end = context.WithCancel(context.Background())
	d.work.Go(d.run)
	return d
}

// Close refuses whoever comes, and hangs up on those who are inside. Nothing of the door runs when it returns.
func (d *Door) Close() error {
	err := d.socket.Close()
	d.end()
	d.host.Kill()
	d.work.Wait()
	return err
}

func (d *Door) run() {
	for {
		outside, err := d.socket.Accept()
		if err != nil {
			return // it is closed
		}
		d.work.Go(func() { d.carry(outside) })
	}
}

// carry copies both ways until one side ends, or the door is closed.
func (d *Door) carry(outside net.Conn) {
	defer outside.Close()
	inside, err := d.host.DialAs(d.life, outside.RemoteAddr().String(), d.to)
	if err != nil {
		if tcp, ok := outside.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // nobody listens: the nearest to a refusal is a reset
		}
		return
	}
	defer inside.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(inside, outside) // either side may end it in any way
		_ = inside.Close()
	}()
	_, _ = io.Copy(outside, inside)
	_ = outside.Close()
	<-done
}
