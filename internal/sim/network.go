package sim

import (
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Errors of calls.
var (
	errTimeout = errors.New("no answer in time")
	errRefused = errors.New("nobody listens there")
)

// who is a party of the network: a node by its id, or a client from firstClient on; life tells its processes apart.
type who struct {
	id    int
	life  int
	alive func() bool
}

// delay draws how long a message takes, and false if it is lost.
func (w *World) delay() (time.Duration, bool) {
	if w.chance(w.plan.loss) && !w.calm {
		return 0, false
	}
	if w.chance(w.plan.slow) && !w.calm {
		return w.between(0, w.plan.delay), true
	}
	return w.between(100*time.Microsecond, 2*time.Millisecond), true
}

// send has a datagram arrive at another party: later, out of turn, twice or never.
func (w *World) send(from, to int, arrive func()) {
	times := 1
	if w.chance(w.plan.duplicate) {
		w.sometimes("message repeated")
		times = 2
	}
	for range times {
		delay, ok := w.delay()
		if !ok {
			continue
		}
		w.after(delay, "", func() {
			if !w.links[[2]int{from, to}] {
				arrive()
			}
		})
	}
}

// ends are the two of a connection.
type ends struct {
	from, fromLife, to, toLife int
}

// conn is a connection of a party to a node: what is sent by it arrives in order, and once something is lost nothing does any more. Who has
// waited for an answer too long gives the connection up, and all that is open on it; what was on its way may yet arrive.
type conn struct {
	w      *World
	ends   ends
	broken bool             // something was lost
	ended  bool             // and whoever asks has noticed
	last   [2]time.Duration // when the newest message there, and back, arrives
	open   []*call
}

// call is a request and who waits for its answer.
type call struct {
	from who
	done func(kmsg.Response, error)
}

// conn returns the connection between two parties, a new one if there is none that works.
func (w *World) conn(from who, to int) *conn {
	at := ends{from.id, from.life, to, w.nodes[to].life}
	c := w.conns[at]
	if c == nil || c.ended {
		c = &conn{w: w, ends: at}
		w.conns[at] = c
	}
	return c
}

// carry has something arrive at one end, behind what was sent there before.
func (c *conn) carry(back int, arrive func()) {
	w, link := c.w, [2]int{c.ends.from, c.ends.to}
	if back > 0 {
		link = [2]int{c.ends.to, c.ends.from}
	}
	if link[0] == link[1] {
		w.after(0, "", arrive)
		return
	}
	delay, ok := w.delay()
	if !ok || c.broken {
		c.lose()
		return
	}
	c.last[back] = max(c.last[back], w.now+delay)
	w.after(c.last[back]-w.now, "", func() {
		if w.links[link] {
			c.lose()
			return
		}
		arrive()
	})
}

// lose breaks the connection; whoever asks notices a little later.
func (c *conn) lose() {
	if !c.broken {
		c.broken = true
		c.w.after(c.w.between(time.Millisecond, 500*time.Millisecond), "", func() { c.giveUp(errTimeout) })
	}
}

// finish answers a call, if nobody has.
func (c *conn) finish(x *call, resp kmsg.Response, err error) {
	i := slices.Index(c.open, x)
	if i < 0 {
		return
	}
	c.open = slices.Delete(c.open, i, i+1)
	if x.from.alive() {
		x.done(resp, err)
	}
}

// giveUp breaks the connection and fails what is open on it, in order.
func (c *conn) giveUp(err error) {
	c.broken, c.ended = true, true
	for len(c.open) > 0 {
		c.finish(c.open[0], nil, err)
	}
}

// call asks a node something by Kafka's protocol, in bytes; done is called once, unless whoever asks has died meanwhile.
func (w *World) call(from who, to int, req kmsg.Request, patience time.Duration, done func(kmsg.Response, error)) {
	c, x := w.conn(from, to), &call{from, done}
	c.open = append(c.open, x)
	w.after(patience, "", func() {
		if slices.Contains(c.open, x) {
			c.giveUp(errTimeout)
		}
	})
	body := req.AppendTo(nil)
	c.carry(0, func() { c.arrived(x, req, body) })
}

// arrived has the node serve a request.
func (c *conn) arrived(x *call, req kmsg.Request, body []byte) {
	w, target := c.w, c.w.nodes[c.ends.to]
	if !target.up() || target.life != c.ends.toLife || !target.listens(req) {
		c.carry(1, func() { c.giveUp(errRefused) })
		return
	}
	arrived := kmsg.RequestForKey(req.Key())
	arrived.SetVersion(req.GetVersion())
	if err := arrived.ReadFrom(body); err != nil {
		w.fail("a request of key %d can't be read: %v", req.Key(), err)
		return
	}
	target.do(func() {
		target.serve(arrived, func(resp kmsg.Response, err error) {
			if err != nil {
				c.carry(1, func() { c.finish(x, nil, err) })
				return
			}
			resp.SetVersion(req.GetVersion())
			answer := resp.AppendTo(nil)
			c.carry(1, func() {
				back := req.ResponseKind()
				if err := back.ReadFrom(answer); err != nil {
					w.fail("an answer to key %d can't be read: %v", req.Key(), err)
				}
				c.finish(x, back, nil)
			})
		})
	})
}
