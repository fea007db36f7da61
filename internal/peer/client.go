package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/wire"
)

// ErrUnreachable says that the other node could not be asked, or did not answer: whether it acted on a request is not known.
// Errors of Do that wrap neither it nor ErrClosed nor kerr.UnsupportedVersion are those of its context, also at its deadline.
var ErrUnreachable = errors.New("the node can't be reached")

// ErrClosed says that the client was closed.
var ErrClosed = errors.New("this connection is used no more")

// Options say whom a Client asks.
type Options struct {
	// Dial connects to the node.
	Dial func(context.Context) (net.Conn, error)
	// ID is the client id of the requests.
	ID string
	// MaxFrame bounds an answer, in bytes.
	MaxFrame int
	// Alone says that one goroutine asks, one request at a time, and does not look at an answer any more when it asks the next: answers have the same
	// memory, one after the other, and are read by whoever waits for them, without a goroutine between. When ctx ends, however it does, the connection is given
	// up.
	Alone bool
}

// Client asks one node over one connection, which it makes when there is something to ask. All methods may be called from any
// goroutine.
type Client struct {
	o Options
	// turn is taken by whoever connects or writes.
	turn chan struct{}

	next int32 // correlation id; of whoever has the turn

	mu     sync.Mutex // a leaf: guards the fields below; whoever sets link has the turn
	link   *link      // nil before the first request, and after Close
	closed bool
}

// New makes a client. Close it when it is not used any more.
func New(o Options) *Client { return &Client{o: o, turn: make(chan struct{}, 1)} }

// Do asks, in the newest version up to req's that the node has, and waits for the answer. When ctx comes to its deadline
// the connection is given up: a node that does not answer in time is not asked again on it.
func (c *Client) Do(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	f, l, err := c.begin(ctx, req)
	if err != nil {
		return nil, err
	}
	if c.o.Alone {
		return l.await(ctx, f)
	}
	select {
	case <-f.done:
		if f.err != nil {
			return nil, unreachable(f.err)
		}
		return f.resp, nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			l.fail(ctx.Err())
		}
		return nil, ctx.Err()
	}
}

// begin sends a request.
func (c *Client) begin(ctx context.Context, req kmsg.Request) (*flight, *link, error) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	defer func() { <-c.turn }()
	l, err := c.connected(ctx)
	if err != nil {
		return nil, nil, err
	}
	version, err := l.version(req)
	if err != nil {
		return nil, nil, err
	}
	c.next++
	f := &flight{hdr: wire.Header{Key: req.Key(), Version: version, CorrelationID: c.next, ClientID: c.o.ID}, done: make(chan struct{})}
	if err := l.send(ctx, f, req); err != nil {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		return nil, nil, unreachable(err)
	}
	return f, l, nil
}

// connected returns the link, a new one if there is none that works. The caller has the turn.
func (c *Client) connected(ctx context.Context) (*link, error) {
	c.mu.Lock()
	l, closed := c.link, c.closed
	c.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	if l != nil {
		select {
		case <-l.dead:
		default:
			return l, nil
		}
	}
	nc, err := c.o.Dial(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, unreachable(err)
	}
	l = newLink(nc, &c.o)
	if err := l.greet(ctx, c.o.ID); err != nil {
		l.fail(err)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, unreachable(err)
	}
	c.mu.Lock()
	if closed = c.closed; !closed {
		c.link = l
	}
	c.mu.Unlock()
	if closed {
		l.fail(errClosed)
		return nil, ErrClosed
	}
	if c.o.Alone {
		close(l.ended)
	} else {
		go l.read()
	}
	return l, nil
}

// Lost returns a channel that is closed when the connection breaks which there is now, nil if there never was one.
func (c *Client) Lost() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link == nil {
		return nil
	}
	return c.link.dead
}

// Close hangs up; those who wait are told. Nothing of the client runs when it returns.
func (c *Client) Close() {
	c.mu.Lock()
	l := c.link
	c.link, c.closed = nil, true
	c.mu.Unlock()
	if l != nil {
		l.fail(errClosed)
		<-l.ended
	}
}

func unreachable(err error) error { return fmt.Errorf("%w: %w", ErrUnreachable, err) }
