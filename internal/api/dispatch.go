package api

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/transport"
	"github.com/ottla/ottla/internal/wire"
)

// apiVersionsKey is the one API that answers a version it does not know.
const apiVersionsKey = 18

// BrokerHandler serves a listener of clients and other brokers.
func (n *Node) BrokerHandler() transport.Handler { return n.handler(onBroker) }

// ControllerHandler serves a controller listener.
func (n *Node) ControllerHandler() transport.Handler { return n.handler(onController) }

func (n *Node) handler(on listeners) transport.Handler {
	return func(r *transport.Request) { n.dispatch(r, on) }
}

// dispatch answers one request. What can't be understood closes the connection: there is no answer that the peer
// would read right.
func (n *Node) dispatch(r *transport.Request, on listeners) {
	began := r.Received
	c := n.call(r, on)
	body, err := c.hdr.Parse(r.Frame)
	hdr := c.hdr
	if err != nil {
		n.refuse(r, hdr, err)
		return
	}
	row := find(hdr.Key, on)
	if n.Interceptor != nil && row != nil && row.Has(hdr.Version) {
		var answered bool
		if body, answered = n.intercept(c, body); answered {
			return
		}
	}
	switch {
	case row == nil:
		if on == onBroker && ofNodes(hdr.Key) {
			c.intruded(nodesOnly, kafka.NoNode, 0, "")
		}
		n.refuse(r, hdr, wire.ErrUnknownKey)
	case !row.Has(hdr.Version) && hdr.Key == apiVersionsKey:
		c.hdr.Version = 0
		c.reply(unsupportedAPIVersions(on))
	case !row.Has(hdr.Version):
		n.refuse(r, hdr, wire.ErrUnsupportedVersion)
	case row.raw != nil:
		n.Counters.came(hdr.Key)
		row.raw(c, body)
		n.Counters.handled(hdr.Key, n.Now().Sub(began))
	default:
		req, err := wire.Decode(hdr, body)
		if err != nil {
			n.refuse(r, hdr, err)
			return
		}
		n.Counters.came(hdr.Key)
		if row.later != nil {
			row.later(c, req)
		} else {
			c.reply(row.handle(c, req))
		}
		n.Counters.handled(hdr.Key, n.Now().Sub(began))
	}
}

// call returns the connection's call, which serves one request after the other.
func (n *Node) call(r *transport.Request, on listeners) *call {
	c, ok := r.Conn.State.(*call)
	if !ok {
		c = &call{Node: n, on: on, listener: r.Conn.Listener().Name()}
		r.Conn.State = c
	}
	c.req = r
	return c
}

func (n *Node) refuse(r *transport.Request, hdr wire.Header, err error) {
	n.Counters.RefusedRequests.Add(1)
	n.Log.Debug("request refused", "peer", r.Conn.RemoteAddr(), "key", hdr.Key, "version", hdr.Version, "err", err)
	r.Reply(transport.Response{Close: true})
}

// reply encodes and sends an answer; nil closes the connection, so that the client asks elsewhere or again.
func (c *call) reply(resp kmsg.Response) {
	if resp == nil {
		c.req.Reply(transport.Response{Close: true})
		return
	}
	c.req.Reply(c.encode(resp))
}

func (c *call) encode(resp kmsg.Response) transport.Response {
	buf := transport.NewReply(256)
	buf.B = wire.AppendResponse(buf.B, c.hdr, resp)
	return transport.Response{Buf: buf}
}

// complete hands in an answer that was waited for; free says that the caller has the time to send it.
func complete(p transport.Pending, free bool, build func() transport.Response) {
	if free {
		p.CompleteHere(build)
	} else {
		p.Complete(build)
	}
}

// code is the error code of err as it goes on the wire: 0 for nil, UNKNOWN_SERVER_ERROR for what is not Kafka's.
func code(err error) int16 {
	if err == nil {
		return 0
	}
	if ke := (*kerr.Error)(nil); errors.As(err, &ke) {
		return ke.Code
	}
	return kerr.UnknownServerError.Code
}

// message is the text that goes with an error code: ours if err has one, Kafka's description else, nil for no error.
func message(err error) *string {
	if err == nil {
		return nil
	}
	text := errorText(err)
	return &text
}

// errorText is the sentence of an error without the part that only names its code.
func errorText(err error) string {
	ke := (*kerr.Error)(nil)
	if !errors.As(err, &ke) {
		return err.Error()
	}
	if text, ok := strings.CutSuffix(err.Error(), ": "+ke.Error()); ok {
		return text
	}
	return ke.Description
}

// commitWithin bounds how long a command may wait for its records to be committed. A quorum that works takes
// milliseconds; the time that a request names is for replicas.
const commitWithin = 30 * time.Second

// submit hands a command to the active controller and waits until its effect is committed and visible there. A request of a client is forwarded
// to the node that leads the quorum (KIP-590), one of another node is this one's or nobody's. Where that can't be, the answer is nil, which
// closes the connection.
func submit[Resp any](c *call, cmd controller.Command) Resp {
	ctx, cancel := context.WithTimeout(c.Life, commitWithin)
	defer cancel()
	var to quorum.Controller = c.Controller
	if c.on == onController {
		to = c.Voter
	}
	resp, err := quorum.Do[Resp](ctx, to, cmd)
	if err != nil {
		c.Log.Warn("command failed", "request", kmsg.NameForKey(c.hdr.Key), "err", err)
		return resp
	}
	if c.on == onBroker {
		// The client may come back with what it asked for. If the disk is slower than its patience, it has to try again.
		_ = c.Applied(ctx, c.image().Offset)
	}
	return resp
}

// ask has the active controller answer; here says that it is this node. Where nobody answers the response is nil, which closes the connection.
func ask[Resp kmsg.Response](c *call, req kmsg.Request) (resp Resp, here bool) {
	ctx, cancel := context.WithTimeout(c.Life, commitWithin)
	defer cancel()
	answer, here, err := c.Controller.Ask(ctx, req)
	if err != nil {
		c.Log.Warn("the controller does not answer", "request", kmsg.NameForKey(c.hdr.Key), "err", err)
	}
	if err != nil || here {
		return resp, here
	}
	return answer.(Resp), false // it was decoded as the answer to req
}
