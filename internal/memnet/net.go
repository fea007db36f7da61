package memnet

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// Net is a network. Its zero value is not usable: New makes one.
type Net struct {
	rules atomic.Pointer[rules]

	mu        sync.Mutex // a leaf: guards what follows
	listeners map[string]*listener
	pairs     map[*pair]struct{}
	ports     int           // of dialers, so far
	changed   chan struct{} // closed when rules change
}

// rules say what does not pass. They are replaced, not changed.
type rules struct {
	cut    map[link]bool
	paused map[string]bool
}

type link struct{ from, to string }

// held reports whether nothing passes on a link.
func (r *rules) held(l link) bool { return r.cut[l] || r.paused[l.from] || r.paused[l.to] }

// New makes a network where everything passes.
func New() *Net {
	n := &Net{listeners: make(map[string]*listener), pairs: make(map[*pair]struct{}), changed: make(chan struct{})}
	n.rules.Store(&rules{cut: make(map[link]bool), paused: make(map[string]bool)})
	return n
}

// Cut stops all that goes from one host to another, connections that there are included, until Heal.
func (n *Net) Cut(from, to string) {
	n.change(func(r *rules) { r.cut[link{from, to}] = true })
}

// Heal lets pass what Cut stopped.
func (n *Net) Heal(from, to string) {
	n.change(func(r *rules) { delete(r.cut, link{from, to}) })
}

// HealAll undoes all cuts.
func (n *Net) HealAll() {
	n.change(func(r *rules) { clear(r.cut) })
}

// Pause holds all that goes to a host and comes from it. Unlike behind a cut, it can be connected to: its kernel lives.
func (n *Net) Pause(host string) {
	n.change(func(r *rules) { r.paused[host] = true })
}

// Resume undoes Pause.
func (n *Net) Resume(host string) {
	n.change(func(r *rules) { delete(r.paused, host) })
}

// change has do change a copy of the rules, once more when somebody else changes them meanwhile, and tells all whom they concern.
func (n *Net) change(do func(*rules)) {
	for !n.replace(do) {
	}
	n.mu.Lock()
	changed := n.changed
	n.changed = make(chan struct{})
	pairs := make([]*pair, 0, len(n.pairs))
	for p := range n.pairs {
		pairs = append(pairs, p)
	}
	n.mu.Unlock()
	close(changed)
	for _, p := range pairs {
		p.stir()
	}
}

// replace reports whether nobody else changed the rules meanwhile.
func (n *Net) replace(do func(*rules)) bool {
	old := n.rules.Load()
	r := &rules{cut: maps.Clone(old.cut), paused: maps.Clone(old.paused)}
	do(r)
	return n.rules.CompareAndSwap(old, r)
}

// open returns when connections from one host to another can be made, or with ctx.
func (n *Net) open(ctx context.Context, from, to string) error {
	for {
		n.mu.Lock()
		r, changed := n.rules.Load(), n.changed
		n.mu.Unlock()
		if !r.cut[link{from, to}] && !r.cut[link{to, from}] && !r.paused[from] {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// address is a name or number of a host, and a port.
type address string

// Network implements net.Addr. It says tcp: whoever asks wants to know how to speak.
func (address) Network() string { return "tcp" }

// String implements net.Addr.
func (a address) String() string { return string(a) }

// Host is one life of a host.
type Host struct {
	net  *Net
	name string
	dead chan struct{}
	die  sync.Once
}

// Host returns a new life of a host. Several may have one name: cuts are by name.
func (n *Net) Host(name string) *Host {
	return &Host{net: n, name: name, dead: make(chan struct{})}
}

// Listen opens an address; it is net.Listen's sibling. An address that is taken wraps syscall.EADDRINUSE.
func (h *Host) Listen(_, addr string) (net.Listener, error) {
	n := h.net
	l := &listener{host: h, addr: address(addr), queue: make(chan *end, backlog), done: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.listeners[addr] != nil:
		return nil, refused("listen", addr, "bind", syscall.EADDRINUSE)
	case h.isDead():
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: address(addr), Err: net.ErrClosed}
	}
	n.listeners[addr] = l
	return l, nil
}

// Dial connects to an address. It waits while the way there is cut, and fails with syscall.ECONNREFUSED where nobody listens.
func (h *Host) Dial(ctx context.Context, _, addr string) (net.Conn, error) {
	return h.DialAs(ctx, "", addr)
}

// DialAs is Dial with an address of one's own, host:port, which the other side is told; "" is any.
func (h *Host) DialAs(ctx context.Context, own, addr string) (net.Conn, error) {
	for {
		l := h.net.listener(addr)
		if l == nil {
			return nil, refused("dial", addr, "connect", syscall.ECONNREFUSED)
		}
		if h.isDead() {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: address(addr), Err: net.ErrClosed}
		}
		if err := h.net.open(ctx, h.name, l.host.name); err != nil {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: address(addr), Err: err}
		}
		if h.net.listener(addr) != l {
			continue // it has gone while we waited
		}
		near, far, ok := h.net.connect(h, l.host, own, addr)
		if !ok {
			continue
		}
		select {
		case l.queue <- far:
			l.closeLeft() // if it was closed meanwhile
			return near, nil
		case <-l.done:
			_ = near.Close() // nobody has it
		case <-ctx.Done():
			_ = near.Close() // likewise
			return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: address(addr), Err: ctx.Err()}
		}
	}
}

func (n *Net) listener(addr string) *listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.listeners[addr]
}

// connect makes a connection; ok says that both hosts live.
func (n *Net) connect(from, to *Host, own, addr string) (near, far *end, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if from.isDead() || to.isDead() {
		return nil, nil, false
	}
	if own == "" {
		n.ports++
		own = fmt.Sprintf("%s:%d", from.name, firstPort+n.ports%(1<<16-firstPort))
	}
	p := newPair(n, from, to, address(own), address(addr))
	n.pairs[p] = struct{}{}
	return &p.ends[0], &p.ends[1], true
}

// firstPort is the lowest port that dialers get.
const firstPort = 32768

func (n *Net) forget(p *pair) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.pairs, p)
}

func (h *Host) isDead() bool {
	select {
	case <-h.dead:
		return true
	default:
		return false
	}
}

// Kill ends this life: its listeners close and its connections are reset, as a kernel does for a process that dies while it is asked something,
// and it makes no new ones.
func (h *Host) Kill() {
	h.die.Do(func() { close(h.dead) })
	var listeners []*listener
	var ends []*end
	n := h.net
	n.mu.Lock()
	for _, l := range n.listeners {
		if l.host == h {
			listeners = append(listeners, l)
		}
	}
	for p := range n.pairs {
		for i := range p.ends {
			if p.hosts[i] == h {
				ends = append(ends, &p.ends[i])
			}
		}
	}
	n.mu.Unlock()
	for _, l := range listeners {
		_ = l.Close() // it can't fail
	}
	for _, e := range ends {
		e.close(true)
	}
}

// Mute has the connection between two addresses break, as by a reset, when its listening side next writes: what it answers is lost.
func (n *Net) Mute(dialer, listener net.Addr) {
	n.mu.Lock()
	var found *end
	for p := range n.pairs {
		if e := &p.ends[1]; e.remote.String() == dialer.String() && e.local.String() == listener.String() {
			found = e
		}
	}
	n.mu.Unlock()
	if found == nil {
		return
	}
	found.pair.mu.Lock()
	defer found.pair.mu.Unlock()
	found.mute = true
}

func refused(op, addr, call string, why syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Addr: address(addr), Err: os.NewSyscallError(call, why)}
}
