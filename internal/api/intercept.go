package api

import (
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/transport"
	"github.com/ottla/ottla/internal/wire"
)

// Interceptor sees requests before their handlers do, of all listeners but those between voters, and may answer them in their place. It runs on
// the connection's reader: while it does, nothing else of that connection is read. It is for tests; nodes in production have none.
type Interceptor func(*Intercepted)

// Intercepted is a request that an Interceptor sees. It is valid only while that runs.
type Intercepted struct {
	Key    int16
	Client string // client id
	// Remote and Local are the ends of its connection.
	Remote, Local net.Addr

	hdr    wire.Header
	body   []byte
	req    kmsg.Request // nil until it is asked for
	answer kmsg.Response
	hangUp bool
}

// Request is the request, decoded. What is changed in it is what the handler gets.
func (i *Intercepted) Request() (kmsg.Request, error) {
	var err error
	if i.req == nil {
		i.req, err = wire.Decode(i.hdr, i.body)
	}
	return i.req, err
}

// Answer has resp sent in the handler's place.
func (i *Intercepted) Answer(resp kmsg.Response) { i.answer = resp }

// HangUp has the connection closed in the handler's place.
func (i *Intercepted) HangUp() { i.hangUp = true }

// intercept shows a request to the interceptor, and returns the body for the handler unless the request has been answered.
func (n *Node) intercept(c *call, body []byte) (forHandler []byte, answered bool) {
	if c.hdr.Key == wire.KeyRaft {
		return body, false
	}
	i := Intercepted{Key: c.hdr.Key, Client: c.hdr.ClientID, Remote: c.req.Conn.RemoteAddr(), Local: c.req.Conn.LocalAddr(), hdr: c.hdr, body: body}
	n.Interceptor(&i)
	switch {
	case i.hangUp:
		c.reply(nil)
	case i.answer != nil && unanswered(i.req):
		c.req.Reply(transport.Response{})
	case i.answer != nil:
		c.reply(i.answer)
	case i.req != nil:
		return i.req.AppendTo(nil), false
	default:
		return body, false
	}
	return nil, true
}

// unanswered reports whether a request wants no answer.
func unanswered(req kmsg.Request) bool {
	p, ok := req.(*kmsg.ProduceRequest)
	return ok && p.Acks == 0
}
