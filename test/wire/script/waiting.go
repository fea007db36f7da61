package script

import "github.com/twmb/franz-go/pkg/kmsg"

// waiting is a request whose answer waits for what others do.
type waiting struct {
	r   *run
	req kmsg.Request
	c   *conn
	err error
}

// begin sends a request on a connection of its own and returns without its answer. The caller must end or leave it.
func (r *run) begin(req kmsg.Request) *waiting { return r.beginAt(broker, req) }

func (r *run) beginAt(l listener, req kmsg.Request) *waiting {
	w := &waiting{r: r, req: req}
	addr := r.target.Broker
	if l == controller {
		addr = r.target.Controller
	}
	if w.c, w.err = dial(addr); w.err == nil {
		_, w.err = w.c.send(req.Key(), req.GetVersion(), req.IsFlexible(), req.AppendTo(nil))
	}
	return w
}

func (w *waiting) answer() (body []byte, err error) {
	if w.err == nil {
		_, body, w.err = w.c.receive(answerWait)
	}
	w.leave()
	return body, w.err
}

// leave closes the connection, answered or not.
func (w *waiting) leave() {
	if w.c != nil {
		w.c.Close()
	}
}

// end records the answer.
func (w *waiting) end(name string) kmsg.Response {
	body, err := w.answer()
	return w.r.outcomeOf(broker, name, w.req, body, err)
}

// ended takes the answer outside the transcript.
func (w *waiting) ended() kmsg.Response {
	body, err := w.answer()
	resp := w.req.ResponseKind()
	if err == nil {
		_, err = decode(resp, w.req.GetVersion(), body)
	}
	if err != nil {
		w.r.fail("%s v%d: %w", kmsg.NameForKey(w.req.Key()), w.req.GetVersion(), err)
	}
	w.r.learn(resp)
	return resp
}
