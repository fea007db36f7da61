//go:build !race

package transport

import (
	"bytes"
	"sync/atomic"
	"testing"
)

// The counts are the reader's and the writer's; a reply that has come says that they are done, which the race detector can't know.

// The budgets of system calls on a socket, in exact numbers. They only go down.
func TestSystemCallsOfARequest(t *testing.T) {
	content := bytes.Repeat([]byte("segment "), 100_000)
	f := openedFile(t, content)
	var hole int64 // bytes of the file in the answer
	aside := make(chan Pending, 1)
	here := false
	l := serve(t, testOptions(), func(r *Request) {
		answer := func() Response {
			b := NewReply(1)
			b.B = append(b.B, 'a')
			if hole == 0 {
				return Response{Buf: b}
			}
			return Response{Buf: b, Holes: []Hole{{At: len(b.B), Range: fileRange{f: f, n: hole, live: new(atomic.Int32)}}}}
		}
		if here {
			aside <- r.Defer(false)
			(<-aside).CompleteHere(answer)
			return
		}
		r.Reply(answer())
	})
	nc := dial(t, l)
	for range seasoned {
		nc.Write(frame(nil))
		readFrame(t, nc)
	}
	c := only(t, l)
	s := c.io.(*socket)
	for _, test := range []struct {
		name        string
		size        int // of the request
		hole        int64
		here        bool
		reads, send int
	}{
		{"small", 100, 0, false, 1, 1},
		{"small, answered by somebody else", 100, 0, true, 1, 1},
		{"small, with a small answer from a file", 100, 1000, false, 1, 1},
		{"small, with a small answer from a file by somebody else", 100, 1000, true, 1, 1},
		{"small, with a large answer from a file", 100, 50_000, false, 1, 2},
		{"large", 16 << 10, 0, false, 1, 1},
	} {
		hole, here = test.hole, test.here
		request := frame(make([]byte, test.size))
		ask := func() {
			if _, err := nc.Write(request); err != nil {
				t.Fatal(err)
			}
			readFrame(t, nc)
		}
		ask() // the reader learns the size
		reads, sends := s.in.took, s.out.took
		const n = 100
		for range n {
			ask()
		}
		// A request may come in two pieces, but not often.
		if got := s.in.took - reads; got < n*test.reads || got > n*test.reads+n/10 {
			t.Errorf("%s: %d reads for %d requests, want %d each", test.name, got, n, test.reads)
		}
		if got := s.out.took - sends; got != n*test.send {
			t.Errorf("%s: %d sends for %d requests, want %d each", test.name, got, n, test.send)
		}
	}
}

func TestPipelinedRequestsShareReads(t *testing.T) {
	l := serve(t, testOptions(), func(r *Request) { r.Reply(reply(r.Frame[:1])) })
	nc := dial(t, l)
	const n = 20
	for range 2 * seasoned {
		nc.Write(bytes.Repeat(frame([]byte("small")), n))
		for range n {
			readFrame(t, nc)
		}
	}
	s := only(t, l).io.(*socket)
	if s.in.took > 4*seasoned {
		t.Errorf("%d reads for %d pieces of %d requests", s.in.took, 2*seasoned, n)
	}
}
