package ottla

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"sync"
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
	// ctx ends when the life is about to, death when nothing that it does counts any more.
	ctx, death context.Context
	over, die  context.CancelFunc
	killing    sync.Once
	ended      chan struct{} // closed when nothing of it runs
}

// open prepares a life of the node. Others can connect to it afterwards, and wait until it serves.
func (n *Node) open() error {
	if n.closed {
		return errClosed
	}
	l := &life{host: n.c.net.Host(hostName(n.id)), ended: make(chan struct{})}
	l.death, l.die = context.WithCancel(context.Background())
	l.ctx, l.over = context.WithCancel(l.death)
	l.files = vfs.NewFaulty(n.disk.files(), n.disk.hook(l.death.Done()))
	if err := n.openDoors(l); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(&mouth{to: n.c.o.log, dead: l.death.Done()}, &slog.HandlerOptions{Level: slog.LevelDebug})).With("node", n.id)
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
	doomed := n.killers > 0
	n.mu.Unlock()
	if doomed {
		l.kill()
	}
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

// kill has nothing that the life does count any more, whatever it is about. The network goes first: nobody is told of what is not on the disk.
func (l *life) kill() {
	l.killing.Do(func() {
		l.host.Kill()
		for _, d := range l.doors {
			_ = d.Close() // it can't be told to anybody
		}
		l.die()
	})
}

// within is ctx, but ends with the life too.
func (l *life) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(l.death, cancel)
	return ctx, cancel
}

// mouth is where a life of a node logs to, until it is dead.
type mouth struct {
	to   *turns
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

// turns is a writer that many use.
type turns struct {
	mu sync.Mutex // one line at a time
	to io.Writer
}

// Write implements io.Writer.
func (w *turns) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}
