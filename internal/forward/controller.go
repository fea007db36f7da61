package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
)

const (
	// retryAfter is the pause before somebody is asked again.
	retryAfter = 10 * time.Millisecond
	// maxAnswer bounds an answer, in bytes.
	maxAnswer = 100 << 20
)

// ErrNotForwarded says that a command is for the node alone that leads the quorum.
var ErrNotForwarded = errors.New("this is for the node alone that leads the quorum")

// Options say who asks, and how.
type Options struct {
	Self kafka.NodeID
	// Quorum is the metadata quorum as this node knows it, which may have a vote or not.
	Quorum quorum.View
	// Dial connects to a controller.
	Dial func(context.Context, quorum.Voter) (net.Conn, error)
	// Timeout bounds one request; a controller that does not answer within it is asked anew, or another one.
	Timeout time.Duration
}

// Controller is the active controller, as far as its callers can tell. Close it.
type Controller struct {
	o Options

	mu     sync.Mutex // a leaf: guards the fields below
	leader kafka.NodeID
	client *peer.Client // to leader; nil before the first request
	closed bool
}

// New makes a controller without a connection.
func New(o Options) *Controller { return &Controller{o: o, leader: kafka.NoNode} }

// Submit has a command handled, and returns the response when its effect is committed. A command that was on its way when its
// controller went may be handled twice, as with Kafka. It tries until ctx ends. Errors wrap ErrNotForwarded, kerr.UnsupportedVersion,
// what the controller of this node says, or, when ctx has ended, quorum.ErrNotController or peer.ErrUnreachable.
func (c *Controller) Submit(ctx context.Context, cmd controller.Command) (any, error) {
	for {
		leader, _, deposed := c.o.Quorum.LeaderUntil()
		response, err := c.try(ctx, cmd, leader, deposed)
		if err == nil || !again(err) {
			return response, err
		}
		if rest(ctx, deposed) != nil {
			return nil, fmt.Errorf("no controller answers: %w", err)
		}
	}
}

// rest is the pause before somebody is asked again: it ends early when another leads, or somebody at last.
func rest(ctx context.Context, deposed <-chan struct{}) error {
	t := time.NewTimer(retryAfter)
	defer t.Stop()
	select {
	case <-deposed:
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// try asks whoever leads now.
func (c *Controller) try(ctx context.Context, cmd controller.Command, leader kafka.NodeID, deposed <-chan struct{}) (any, error) {
	if leader == c.o.Self || leader == kafka.NoNode { // without one, this node may be about to lead: alone it is
		return c.o.Quorum.Submit(ctx, cmd)
	}
	req := request(cmd)
	if req == nil {
		return nil, fmt.Errorf("%T: %w, which is %d", cmd, ErrNotForwarded, leader)
	}
	return c.ask(ctx, leader, deposed, req)
}

// Ask has the active controller answer a request of Kafka's, which is another node's to answer; local says that it is this one's.
func (c *Controller) Ask(ctx context.Context, req kmsg.Request) (resp kmsg.Response, local bool, err error) {
	for {
		leader, _, deposed := c.o.Quorum.LeaderUntil()
		if leader == c.o.Self {
			return nil, true, nil
		}
		err = quorum.ErrNotController
		if leader != kafka.NoNode {
			resp, err = c.ask(ctx, leader, deposed, req)
			if err == nil || !again(err) {
				return resp, false, err
			}
		}
		if rest(ctx, deposed) != nil {
			return nil, false, fmt.Errorf("no controller answers: %w", err)
		}
	}
}

// again reports whether another node, or the same a moment later, may do what failed.
func again(err error) bool {
	return errors.Is(err, quorum.ErrNotController) || errors.Is(err, peer.ErrUnreachable)
}

// ask sends a request to the node that leads, and does not wait for one that stands still when another leads instead.
func (c *Controller) ask(ctx context.Context, leader kafka.NodeID, deposed <-chan struct{}, req kmsg.Request) (kmsg.Response, error) {
	client, err := c.connection(leader)
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, c.o.Timeout)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer cancel()
	watch.Go(func() {
		select {
		case <-deposed:
			cancel()
		case <-within.Done():
		}
	})
	resp, err := client.Do(within, req)
	switch {
	case err == nil || ctx.Err() != nil:
	case errors.Is(within.Err(), context.Canceled) || errors.Is(err, peer.ErrClosed) && !c.over():
		err = fmt.Errorf("%w: node %d leads no more", quorum.ErrNotController, leader)
	case within.Err() != nil:
		err = fmt.Errorf("%w: %w", peer.ErrUnreachable, err)
	}
	return resp, err
}

// connection is that to the leader; one to an earlier leader is closed.
func (c *Controller) connection(leader kafka.NodeID) (*peer.Client, error) {
	c.mu.Lock()
	old := c.client
	switch {
	case c.closed:
		c.mu.Unlock()
		return nil, peer.ErrClosed
	case leader == c.leader:
		c.mu.Unlock()
		return old, nil
	}
	client := peer.New(peer.Options{ID: fmt.Sprint("node-", c.o.Self), MaxFrame: maxAnswer, Dial: func(ctx context.Context) (net.Conn, error) {
		v, ok := c.o.Quorum.Peer(leader)
		if !ok {
			return nil, fmt.Errorf("nobody knows where voter %d is", leader)
		}
		return c.o.Dial(ctx, v)
	}})
	c.leader, c.client = leader, client
	c.mu.Unlock()
	if old != nil {
		old.Close()
	}
	return client, nil
}

func (c *Controller) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Close hangs up. Those who wait are told.
func (c *Controller) Close() {
	c.mu.Lock()
	client := c.client
	c.client, c.leader, c.closed = nil, kafka.NoNode, true
	c.mu.Unlock()
	if client != nil {
		client.Close()
	}
}
