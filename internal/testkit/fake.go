package testkit

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/wire"
)

// Fake plays another node, over connections in memory.
type Fake struct {
	T testing.TB
	// Versions are what it says to serve.
	Versions []kmsg.ApiVersionsResponseApiKey
	// Handle answers all but ApiVersions with a frame; nil hangs up.
	Handle func(h wire.Header, body []byte) []byte
	// Dials counts the connections.
	Dials atomic.Int32
}

// Dial connects to it.
func (f *Fake) Dial(context.Context) (net.Conn, error) {
	f.Dials.Add(1)
	ours, theirs := net.Pipe()
	f.T.Cleanup(func() { _ = theirs.Close() }) // it may have hung up
	go f.serve(theirs)
	return ours, nil
}

func (f *Fake) serve(nc net.Conn) {
	defer nc.Close()
	for {
		var size [4]byte
		if _, err := io.ReadFull(nc, size[:]); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(nc, frame); err != nil {
			return
		}
		var h wire.Header
		body, err := h.Parse(frame)
		if err != nil {
			f.T.Errorf("a request that nobody understands: %v", err)
			return
		}
		var out []byte
		if h.Key == (*kmsg.ApiVersionsRequest)(nil).Key() {
			resp := kmsg.NewPtrApiVersionsResponse()
			resp.ApiKeys = f.Versions
			out = Answer(h, resp)
		} else {
			out = f.Handle(h, body)
		}
		if out == nil {
			return
		}
		if _, err := nc.Write(out); err != nil {
			return
		}
	}
}

// Answer is a response as it goes over the wire: size, header and body.
func Answer(h wire.Header, resp kmsg.Response) []byte {
	b := wire.AppendResponse(make([]byte, 4), h, resp)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}
