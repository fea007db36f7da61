package transport

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of a peer that is slow or silent in the middle of a frame.
const (
	firstFrameWithin = 10 * time.Second
	slowFrameAfter   = 30 * time.Second
	slowFrameRate    = 4 << 10 // bytes a second
	sweepEvery       = time.Second
	acceptBackoff    = 50 * time.Millisecond // after an accept that failed, as with no descriptors left
)

// Options are the limits of a listener.
type Options struct {
	Name       string        // listener name, such as PLAINTEXT or CONTROLLER
	MaxFrame   int           // bytes; a longer frame closes the connection
	Admission  *Admission    // counts the connections, shared by listeners
	MaxIdle    time.Duration // without a request; 0 is for ever
	SendBuffer int           // SO_SNDBUF in bytes; -1 leaves it to the system
	RecvBuffer int           // SO_RCVBUF
	Budget     *Budget       // request memory, shared by all listeners
	Ended      func(*Conn)   // told when the other side, or we, ended a connection while the listener serves; may be nil
	Now        func() time.Time
	Log        *slog.Logger
}

// Handler is called by the reader goroutine of a connection, for one request at a time. It answers by exactly one of
// Request.Reply, Request.ReplyNow and Request.Defer before it returns.
type Handler func(*Request)

// Listener accepts connections and serves them.
type Listener struct {
	opts    Options
	handler Handler
	nl      net.Listener

	mu       sync.Mutex // guards conns and draining
	conns    map[*Conn]struct{}
	draining bool

	coarse atomic.Int64 // unix nanoseconds, never behind the clock, ahead of it by up to sweepEvery: for what is asked often

	stop chan struct{}  // ends the sweep
	work sync.WaitGroup // the sweep, and of each connection: its reader and the replies that are owed
}

// NewListener serves nl with handler once Serve is called.
func NewListener(nl net.Listener, opts Options, handler Handler) *Listener {
	l := &Listener{
		opts: opts, handler: handler, nl: nl,
		conns: make(map[*Conn]struct{}), stop: make(chan struct{}),
	}
	l.tick(opts.Now())
	return l
}

// tick moves the coarse clock.
func (l *Listener) tick(now time.Time) { l.coarse.Store(now.Add(sweepEvery).UnixNano()) }

// Name is the listener's name.
func (l *Listener) Name() string { return l.opts.Name }

// Addr is the address that the listener is bound to.
func (l *Listener) Addr() net.Addr { return l.nl.Addr() }

// Serve accepts connections until Drain.
func (l *Listener) Serve() {
	if !l.start(l.sweep) {
		return
	}
	for {
		nc, err := l.nl.Accept()
		switch {
		case err == nil:
			l.admit(nc)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			l.opts.Log.Warn("accept failed", "listener", l.opts.Name, "err", err)
			l.pause(acceptBackoff)
		}
	}
}

func (l *Listener) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.stop:
	}
}

func (l *Listener) admit(nc net.Conn) {
	ip := host(nc.RemoteAddr())
	err := l.opts.Admission.enter(l.opts.Name, ip, l.stop)
	var c *Conn
	if err == nil {
		if c, err = l.newConn(nc); err == nil {
			err = l.add(c)
		}
		if err != nil {
			l.opts.Admission.leave(l.opts.Name, ip)
		}
	}
	if err != nil {
		l.opts.Log.Debug("connection refused", "listener", l.opts.Name, "peer", nc.RemoteAddr(), "err", err)
		_ = nc.Close() // refused; there is nothing to tell
		return
	}
	go func() {
		defer c.leave()
		l.run(c)
	}()
}

func (l *Listener) newConn(nc net.Conn) (*Conn, error) {
	if tcp, ok := nc.(*net.TCPConn); ok {
		if err := l.tune(tcp); err != nil {
			return nil, err
		}
	}
	s, err := newStream(nc)
	if err != nil {
		return nil, err
	}
	c := &Conn{l: l, io: s, remote: nc.RemoteAddr(), local: nc.LocalAddr(), tokens: make(chan struct{}, maxPending)}
	c.drainAside = c.drain
	c.progress.Store(l.opts.Now().UnixNano())
	c.ring = make([]slot, 4)
	return c, nil
}

func (l *Listener) tune(tcp *net.TCPConn) error {
	if l.opts.SendBuffer > 0 {
		if err := tcp.SetWriteBuffer(l.opts.SendBuffer); err != nil {
			return err
		}
	}
	if l.opts.RecvBuffer > 0 {
		if err := tcp.SetReadBuffer(l.opts.RecvBuffer); err != nil {
			return err
		}
	}
	return nil
}

var errDraining = errors.New("transport: shutting down")

func (l *Listener) add(c *Conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.draining {
		return errDraining
	}
	l.conns[c] = struct{}{}
	l.work.Add(1) // for the reader; under the lock, so that Drain waits for it or it does not begin
	return nil
}

// start runs f as work of the listener, unless it is draining.
func (l *Listener) start(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.draining {
		return false
	}
	l.work.Go(f)
	return true
}

func (l *Listener) remove(c *Conn) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
	l.opts.Admission.leave(l.opts.Name, host(c.remote))
}

func host(a net.Addr) string {
	h, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return h
}

func (l *Listener) run(c *Conn) {
	defer l.remove(c)
	err := c.serve()
	if l.isDraining() {
		c.finish()
	}
	c.kill()
	_ = c.io.close() // the peer learns of it either way
	if l.opts.Ended != nil && !l.isDraining() {
		l.opts.Ended(c)
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		l.opts.Log.Debug("connection ended", "listener", l.opts.Name, "peer", c.remote, "err", err)
	}
}

// finish waits until all replies of requests already read are sent.
func (c *Conn) finish() {
	for range maxPending {
		c.tokens <- struct{}{}
	}
}

func (l *Listener) isDraining() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.draining
}

// Drain stops accepting and reading, lets the replies of requests already read go out, and closes all connections.
// When ctx ends first, the connections that are left are closed as they are. It returns when nothing of the listener
// runs any more; a second call finds nothing to do.
func (l *Listener) Drain(ctx context.Context) error {
	l.mu.Lock()
	already := l.draining
	l.draining = true
	conns := l.list()
	l.mu.Unlock()
	if already {
		return nil
	}
	err := l.nl.Close()
	close(l.stop)
	for _, c := range conns {
		c.stopReading()
	}
	ended := context.AfterFunc(ctx, func() {
		for _, c := range conns {
			c.kill()
		}
	})
	l.work.Wait()
	if !ended() {
		err = errors.Join(err, ctx.Err())
	}
	return err
}

// list copies the set of connections. The caller holds mu.
func (l *Listener) list() []*Conn {
	conns := make([]*Conn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	return conns
}

// sweep closes connections that are idle too long or stuck in a frame, so that no request needs a timer.
func (l *Listener) sweep() {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-t.C:
			now := l.opts.Now()
			l.tick(now)
			l.mu.Lock()
			conns := l.list()
			l.mu.Unlock()
			for _, c := range mostIdle(conns, l.opts.Admission.excess(l.opts.Name)) {
				l.opts.Log.Debug("connection closed", "listener", l.opts.Name, "peer", c.remote, "reason", "max.connections")
				c.kill()
			}
			for _, c := range conns {
				if reason := c.stale(now, l.opts.MaxIdle); reason != "" {
					l.opts.Log.Debug("connection closed", "listener", l.opts.Name, "peer", c.remote, "reason", reason)
					c.kill()
				}
			}
		}
	}
}

// mostIdle returns the n connections that have made no progress for longest.
func mostIdle(conns []*Conn, n int) []*Conn {
	if n == 0 {
		return nil
	}
	slices.SortFunc(conns, func(a, b *Conn) int { return cmp.Compare(a.progress.Load(), b.progress.Load()) })
	return conns[:min(n, len(conns))]
}

// stale says why the connection should be closed, or nothing. A peer that does not read its replies counts as idle.
func (c *Conn) stale(now time.Time, maxIdle time.Duration) string {
	if c.unsure.Swap(false) && c.io.ended() {
		return "the peer has ended it"
	}
	c.mu.Lock()
	first := c.tail == 0
	c.mu.Unlock()
	quiet := now.Sub(time.Unix(0, c.progress.Load()))
	if since := c.started.Load(); since != 0 {
		inFrame := now.Sub(time.Unix(0, since))
		switch {
		case first && inFrame > firstFrameWithin:
			return "the first request is not complete after " + firstFrameWithin.String()
		case inFrame > slowFrameAfter && float64(c.arrived.Load()) < inFrame.Seconds()*slowFrameRate:
			return "a request comes in too slowly"
		}
		return ""
	}
	if maxIdle > 0 && quiet > maxIdle {
		return "idle"
	}
	return ""
}
