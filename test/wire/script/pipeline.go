package script

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// pipeline sends several requests at once: they are done and answered in the
// order in which they were sent.
func pipeline(r *run) {
	r.make(newTopic(r.name("a"), 1))
	in := func(version int16, req kmsg.Request) kmsg.Request {
		req.SetVersion(version)
		return req
	}
	write := func(acks int16) kmsg.Request {
		return in(9, produceRequest(r.name("a"), [16]byte{}, acks, part{0, records{count: 1}.batch()}))
	}
	read := func(offset int64, wait int32) kmsg.Request {
		req := fetchRequest(r, wanted{"a", 0, offset, nil})
		req.MinBytes, req.MaxWaitMillis = 1, wait
		return in(11, req)
	}
	r.together("three produces and a fetch", write(-1), write(1), write(-1), read(0, 0))
	r.together("unanswered ones between", write(0), write(-1), write(0), read(0, 0))
	r.together("a long poll first", read(99, 0), read(6, 300), write(-1), in(9, metadataRequest()))
	r.together("a wrong one first", in(9, produceRequest(r.name("none"), strangeID, -1, part{0, records{count: 1}.batch()})), write(-1))
	var many []kmsg.Request
	for range 50 {
		many = append(many, write(-1))
	}
	r.together("fifty produces", many...)
	sequence := func(seq int32) kmsg.Request {
		b := records{count: 1, withPID: true, pid: 6_000_000, seq: seq}.batch()
		return in(9, produceRequest(r.name("a"), [16]byte{}, -1, part{0, b}))
	}
	r.together("sequences in order", sequence(0), sequence(1), sequence(2), sequence(2), sequence(1), sequence(5), sequence(3))
}

// together writes the requests in one piece and records every answer.
func (r *run) together(name string, reqs ...kmsg.Request) {
	c, err := dial(r.target.Broker)
	if err != nil {
		r.entry(name, []string{err.Error()})
		return
	}
	defer c.Close()
	f := kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID))
	var all []byte
	byID := map[int32]kmsg.Request{}
	answers := 0
	for i, req := range reqs {
		byID[int32(i)] = req
		all = append(all, f.AppendRequest(nil, req, int32(i))...)
		if p, ok := req.(*kmsg.ProduceRequest); !ok || p.Acks != 0 {
			answers++
		}
	}
	if _, err := c.Write(all); err != nil {
		r.entry(name, []string{errClosed.Error()})
		return
	}
	var lines []string
	for range answers {
		id, body, err := c.receive(answerWait)
		if err != nil {
			lines = append(lines, "answer: "+err.Error())
			break
		}
		lines = append(lines, r.pipelined(id, byID[id], body)...)
	}
	r.entry(name, lines)
}

// pipelined renders one answer of many, each line under its request's number.
func (r *run) pipelined(id int32, req kmsg.Request, body []byte) []string {
	if req == nil {
		return []string{fmt.Sprintf("answer: to %d, which was not sent", id)}
	}
	resp := req.ResponseKind()
	if _, err := decode(resp, req.GetVersion(), body); err != nil {
		return []string{fmt.Sprintf("%d: %v", id, err)}
	}
	rr := r.renderer()
	rr.api = req.Key()
	var out []string
	for _, l := range rr.answer(resp) {
		out = append(out, fmt.Sprintf("%d.%s", id, l))
	}
	if len(out) == 1 && out[0] == fmt.Sprintf("%d.defaults only", id) {
		out[0] = fmt.Sprintf("%d: defaults only", id)
	}
	return out
}
