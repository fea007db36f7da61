package ottla

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/ottla/ottla/internal/memnet"
	"github.com/ottla/ottla/internal/node"
	"github.com/ottla/ottla/internal/vfs"
)

// life is one run of a node, as the process would be.
type life struct {
	node  *node.Node
	host  *memnet.Host
	doors []*memnet.Door
	files *vfs.Faulty
	// ctx ends when the life is about to.
	ctx   context.Context
	over  context.CancelFunc
	dead  chan struct{} // closed when nothing that it does counts any more
	ended chan struct{} // closed when it was stopped or killed
}

// open prepares a life of the node. Others can connect to it afterwards, and wait until it serves.
func (n *Node) open() error {
	l := &life{host: n.c.net.Host(hostName(n.id)), dead: make(chan struct{}), ended: make(chan struct{})}
	l.ctx, l.over = context.WithCancel(context.Background())
	l.files = vfs.NewFaulty(n.disk.files(), n.disk.hook(l.dead))
	if err := n.openDoors(l); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(&mouth{to: n.c.o.log, dead: l.dead}, &slog.HandlerOptions{Level: slog.LevelDebug})).With("node", n.id)
	var err error
	l.node, err = node.Open(node.Options{
		Config: n.cfg, FS: l.files, Listen: l.host.Listen, Dial: l.host.Dial, Now: time.Now, Random: rand.Reader, Boot: n.boot,
		Hostname: hostName(n.id), Interceptor: n.interceptor(l.ctx), Log: log,
	})
	if err != nil {
		l.kill()
		return err
	}
	n.mu.Lock()
	n.life, n.err = l, nil
	n.mu.Unlock()
	return nil
}

func (n *Node) openDoors(l *life) error {
	if n.c.o.inProcess {
		return nil
	}
	sockets := n.sockets
	n.sockets = nil
	for i, addr := range []string{n.addr, n.peer} {
		if len(sockets) <= i {
			socket, err := net.Listen("tcp", addr)
			if err != nil {
				l.kill()
				return err
			}
			sockets = append(sockets, socket)
		}
		l.doors = append(l.doors, memnet.NewDoor(n.c.net, hostName(Clients), sockets[i]))
	}
	return nil
}

// kill has nothing that the life does count any more. The network goes first: nobody is told of what is not on the disk.
func (l *life) kill() {
	l.host.Kill()
	l.over()
	l.close()
	close(l.dead)
}

// close shuts the doors.
func (l *life) close() {
	l.host.Kill()
	for _, d := range l.doors {
		_ = d.Close() // it can't be told to anybody
	}
}

// mouth is where a life of a node logs to, until it is dead.
type mouth struct {
	to   io.Writer
	dead <-chan struct{}
}

// Write implements io.Writer.
func (m *mouth) Write(p []byte) (int, error) {
	select {
	case <-m.dead:
		return len(p), nil
	default:
		return m.to.Write(p)
	}
}
