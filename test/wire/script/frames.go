package script

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// frames plays bytes that are no request, or whose header is odd. Those that
// are answered must be answered as ApiVersions version 0.
func frames(r *run) {
	head := func(key, version int16, client ...byte) []byte {
		b := binary.BigEndian.AppendUint16(nil, uint16(key))
		b = binary.BigEndian.AppendUint16(b, uint16(version))
		b = binary.BigEndian.AppendUint32(b, 7)
		return append(b, client...)
	}
	sized := func(size int32, b []byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(size)), b...)
	}
	whole := func(b []byte) []byte { return sized(int32(len(b)), b) }
	null := []byte{0xff, 0xff}
	r.frame("size 0", sized(0, nil))
	r.frame("size negative", sized(-1, head(18, 0, null...)))
	r.frame("size absurd", sized(1<<31-1, head(18, 0, null...)))
	r.frame("size above socket.request.max.bytes", sized(104857601, head(18, 0, null...)))
	r.frame("size at socket.request.max.bytes, then little", sized(104857600, head(18, 0, null...)))
	r.frame("size 1", sized(1, []byte{0}))
	r.frame("header cut after the key", whole(head(18, 0)[:2]))
	r.frame("header cut after the version", whole(head(18, 0)[:4]))
	r.frame("header cut before the client id", whole(head(18, 0)))
	r.frame("client id null", whole(head(18, 0, null...)))
	r.frame("client id empty", whole(head(18, 0, 0, 0)))
	r.frame("client id longer than the frame", whole(head(18, 0, 0, 9, 'x')))
	r.frame("client id of negative length", whole(head(18, 0, 0xff, 0xf0, 'x')))
	r.frame("client id not UTF-8", whole(head(18, 0, 0, 2, 0xff, 0xfe)))
	r.frame("correlation id negative", whole(slices.Concat(head(18, 0)[:4], []byte{0xff, 0xff, 0xff, 0xfe}, null)))
	for _, key := range []int16{95, 999, -1, 4, 7} {
		r.frame(fmt.Sprint("no such key ", key), whole(head(key, 0, null...)))
	}
	r.frame("a key of the other listener", whole(r.otherListeners(head)))
	r.frame("header without its tags", whole(head(18, 3, null...)))
	tagged := slices.Concat(null, []byte{1, 5, 1, 9}, []byte{2, 'a', 2, 'b', 0})
	r.frame("header with an unknown tag", whole(head(18, 3, tagged...)))
	many := slices.Concat(null, []byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	r.frame("header that claims endless tags", whole(head(18, 3, many...)))
	r.frame("an HTTP request", []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	r.frame("a TLS hello", []byte{0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3})
}

// otherListeners is a right request that this listener does not serve.
func (r *run) otherListeners(head func(key, version int16, client ...byte) []byte) []byte {
	if r.api.where == controller {
		req := kmsg.NewPtrProduceRequest()
		req.SetVersion(3)
		return slices.Concat(head(0, 3, 0xff, 0xff), req.AppendTo(nil))
	}
	req := kmsg.NewPtrBrokerHeartbeatRequest()
	return slices.Concat(head(63, 0, 0xff, 0xff, 0), req.AppendTo(nil))
}

// frame sends bytes on a connection of their own; half of it is closed after
// them, so that a node that waits for more ends too.
func (r *run) frame(name string, b []byte) {
	r.drop(r.api.where)
	c, err := r.conn(r.api.where)
	if err != nil {
		r.entry(name, []string{err.Error()})
		return
	}
	defer r.drop(r.api.where)
	if _, err := c.Write(b); err != nil {
		r.entry(name, []string{errClosed.Error()})
		return
	}
	if t, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		_ = t.CloseWrite()
	}
	_, body, err := c.receive(answerWait)
	if err != nil {
		r.entry(name, []string{err.Error()})
		return
	}
	resp := kmsg.NewPtrApiVersionsResponse()
	v := int16(0)
	if binary.BigEndian.Uint16(b[6:]) == 3 {
		v = 3
	}
	if _, err := decode(resp, v, body); err != nil {
		r.entry(name, []string{"answered with something else"})
		return
	}
	r.entry(name, []string{"answered: " + errorName(resp.ErrorCode)})
}
