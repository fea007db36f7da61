package ottla

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/api"
)

// Request is a request on its way to the node that handles it.
type Request struct {
	// Body is the request. What is changed in it is what the node handles.
	Body kmsg.Request
	// Node is the id of the node that it came to.
	Node int32
	// From is the id of the node that it came from, or [Clients].
	From int32
	// ClientID is what the sender calls itself.
	ClientID string

	ctx  context.Context
	lose func()
}

// Context ends when the node does. Who holds up a request must let it go then.
func (r *Request) Context() context.Context { return r.ctx }

// LoseAnswer has the node handle the request, and its connection break instead of answering: the client can't know whether it was handled. Answers
// to requests before it that are still on their way are lost as well.
func (r *Request) LoseAnswer() { r.lose() }

// Interceptor decides on a request before a node handles it: it answers in the node's place (a response), has the connection closed (an error), or
// leaves the request, changed or not, to the node (neither). While it runs, the requests behind on the same connection wait; for
// requests of different connections it runs at the same time.
type Interceptor func(*Request) (kmsg.Response, error)

// Interception is an interceptor at work.
type Interception struct {
	c       *Cluster
	f       Interceptor
	keys    []kmsg.Key // nil for all
	between bool       // for requests between nodes

	mu   sync.Mutex // a leaf: guards what follows
	hits int
	news chan struct{} // closed when hits change
}

// Intercept has an interceptor see the clients' requests of some keys, such as kmsg.Produce, or of all, until it is removed. Of several the first that
// answers decides.
func (c *Cluster) Intercept(f Interceptor, keys ...kmsg.Key) *Interception {
	return c.intercept(&Interception{f: f, keys: keys})
}

// InterceptNodes is Intercept for requests between nodes: followers' fetches, heartbeats, forwarded commands. The messages of Raft are not among
// them.
func (c *Cluster) InterceptNodes(f Interceptor, keys ...kmsg.Key) *Interception {
	return c.intercept(&Interception{f: f, keys: keys, between: true})
}

func (c *Cluster) intercept(i *Interception) *Interception {
	i.c, i.news = c, make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interceptions = append(slices.Clone(c.interceptions), i)
	return i
}

// Remove ends the interception. The interceptor itself may call it. It does not wait for one that runs.
func (i *Interception) Remove() {
	i.c.mu.Lock()
	defer i.c.mu.Unlock()
	i.c.interceptions = slices.DeleteFunc(slices.Clone(i.c.interceptions), func(other *Interception) bool { return other == i })
}

// Hits is how many requests it has answered, or closed the connections of.
func (i *Interception) Hits() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.hits
}

// Wait returns when it has answered so many requests, or with ctx.
func (i *Interception) Wait(ctx context.Context, hits int) error {
	for {
		i.mu.Lock()
		now, news := i.hits, i.news
		i.mu.Unlock()
		if now >= hits {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d requests were intercepted: %w", now, hits, ctx.Err())
		}
	}
}

func (i *Interception) hit() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.hits++
	close(i.news)
	i.news = make(chan struct{})
}

// interceptor is what the life of a node shows its requests to.
func (n *Node) interceptor(ctx context.Context) api.Interceptor {
	return func(in *api.Intercepted) {
		n.c.mu.Lock()
		all := n.c.interceptions
		n.c.mu.Unlock()
		from, counts := sender(in.Remote)
		if !counts {
			return
		}
		for _, i := range all {
			if i.between != (from != Clients) || len(i.keys) > 0 && !slices.Contains(i.keys, kmsg.Key(in.Key)) {
				continue
			}
			body, err := in.Request()
			if err != nil {
				return // the node says what is wrong with it
			}
			r := &Request{Body: body, Node: n.id, From: from, ClientID: in.Client, ctx: ctx, lose: func() { n.c.net.Mute(in.Remote, in.Local) }}
			resp, err := i.f(r)
			switch {
			case err != nil:
				in.HangUp()
			case resp != nil:
				in.Answer(resp)
			default:
				continue
			}
			i.hit()
			return
		}
	}
}

// sender is who connects from an address: a node does by its host's name. Counts is false of what the cluster itself asks.
func sender(remote net.Addr) (id int32, counts bool) {
	host, _, err := net.SplitHostPort(remote.String())
	if err != nil {
		return Clients, true
	}
	name, ok := strings.CutPrefix(host, nodePrefix)
	if id, err := strconv.ParseInt(name, 10, 32); ok && err == nil {
		return int32(id), true
	}
	return Clients, host != ownName
}
