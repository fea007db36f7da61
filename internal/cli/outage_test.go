package cli

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/testkit"
)

// gate stands before a server, which names it to its clients, and lets them through or not.
type gate struct {
	t       *testing.T
	address string
	to      string

	mu     sync.Mutex
	listen net.Listener
	open   []net.Conn
}

// gated starts a node behind a gate that is open, with a topic that holds a record.
func gated(t *testing.T) *gate {
	t.Helper()
	g := &gate{t: t, address: free(t)}
	g.to = testkit.Start(t, testkit.Options{Set: []string{"advertised.listeners=PLAINTEXT://" + g.address}}).Addr
	g.lift()
	t.Cleanup(g.shut)
	g.does("topic", "create", "orders", "-p", "1")
	g.writes("before")
	return g
}

// does runs a command that must succeed.
func (g *gate) does(args ...string) {
	g.t.Helper()
	if s := begin(g.t, strings.NewReader(""), append(args, "-b", g.address)...); <-s.ended != 0 {
		g.t.Fatalf("%v: %s", args, s.problems.text())
	}
}

func (g *gate) writes(line string) {
	g.t.Helper()
	if s := begin(g.t, strings.NewReader(line+"\n"), "produce", "orders", "-q", "-b", g.address); <-s.ended != 0 {
		g.t.Fatalf("produce: %s", s.problems.text())
	}
}

// lift lets clients through.
func (g *gate) lift() {
	g.t.Helper()
	l, err := net.Listen("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	g.listen = l
	g.mu.Unlock()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", g.to)
			if err != nil {
				in.Close()
				continue
			}
			g.mu.Lock()
			if g.listen == l {
				g.open = append(g.open, in, out)
			} else {
				in.Close()
				out.Close()
			}
			g.mu.Unlock()
			go pass(in, out)
			go pass(out, in)
		}
	}()
}

// pass carries bytes until an end is closed.
func pass(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	from.Close()
	to.Close()
}

// shut cuts all clients off: nobody listens any more.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.listen != nil {
		g.listen.Close()
	}
	for _, c := range g.open {
		c.Close()
	}
	g.listen, g.open = nil, nil
}

// heard is an end of a pipe that remembers what went through.
type heard struct {
	mu sync.Mutex
	b  strings.Builder
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.Write(p)
}

func (h *heard) text() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.String()
}

// session is a command that runs until it ends or is interrupted. Its clock is five times as fast as ours.
type session struct {
	t             *testing.T
	out, problems heard
	interrupt     context.CancelFunc
	ended         chan int
}

func begin(t *testing.T, in io.Reader, args ...string) *session {
	s := &session{t: t, ended: make(chan int, 1)}
	pressed, interrupt := context.WithCancel(t.Context())
	s.interrupt = interrupt
	began := time.Now()
	w := &command.World{
		In: in, Out: &s.out, Err: &s.problems, ErrTTY: true, Getenv: func(string) string { return "" },
		Now: func() time.Time { return began.Add(5 * time.Since(began)) },
		Interruptible: func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			forget := context.AfterFunc(pressed, cancel)
			return ctx, func() { forget(); cancel() }
		},
	}
	go func() { s.ended <- Run(context.WithoutCancel(t.Context()), w, args) }()
	return s
}

// awaits waits until a text has come out of an end.
func (s *session) awaits(end *heard, text string) {
	s.t.Helper()
	testkit.Eventually(s.t, "wait for "+text, func() bool { return strings.Contains(end.text(), text) })
}

// ends requires an exit code, and that a text was said, on standard error, so many times.
func (s *session) ends(code command.Exit, said string, times int) {
	s.t.Helper()
	if got := <-s.ended; got != int(code) {
		s.t.Errorf("exit code %d, want %d", got, code)
	}
	if got := s.problems.text(); strings.Count(got, said) != times {
		s.t.Errorf("%q is not said %d times: %s", said, times, got)
	}
}

// Who reads on and on outlives the server, and says once that it is gone and once that it is back.
func TestReadersOutliveTheServer(t *testing.T) {
	f := func(name, first, last string, args ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := gated(t)
			s := begin(t, strings.NewReader(""), append(args, "-b", g.address)...)
			s.awaits(&s.out, first)
			g.shut()
			s.awaits(&s.problems, "no answer from "+g.address+", trying again: ")
			g.lift()
			s.awaits(&s.problems, g.address+" answers again")
			g.writes("after")
			s.awaits(&s.out, last)
			s.interrupt()
			s.ends(command.OK, "trying again", 1)
		})
	}
	f("member", "before\n", "after\n", "consume", "orders", "--group", "readers")
	f("modern member", "before\n", "after\n", "consume", "orders", "--group", "readers", "--protocol", "consumer")
	f("follower", "before\n", "after\n", "consume", "orders", "--follow")
	f("top", `"logEndOffset":1`, `"logEndOffset":2`, "top", "--every", "100ms")
}

// A member that its group has forgotten joins it again.
func TestMemberJoinsAgain(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.ControlKey(14, func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.SyncGroupResponse)
		resp.ErrorCode = 22 // ILLEGAL_GENERATION, once
		return resp, nil, true
	})
	if s := begin(t, strings.NewReader("one\n"), "produce", "orders", "-b", c.ListenAddrs()[0]); <-s.ended != 0 {
		t.Fatal(s.problems.text())
	}
	s := begin(t, strings.NewReader(""), "consume", "orders", "-g", "readers", "-n", "1", "-b", c.ListenAddrs()[0])
	s.ends(command.OK, "ILLEGAL_GENERATION", 0)
	if got := s.out.text(); got != "one\n" {
		t.Errorf("printed %q", got)
	}
}

// Who writes is told that the server is gone; then it comes back, or the time is over, or the user has enough.
func TestProduceWhileTheServerIsGone(t *testing.T) {
	f := func(name string, then func(*gate, *session), args ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := gated(t)
			in, keyboard := io.Pipe()
			defer keyboard.Close()
			types := func(text string) {
				if _, err := io.WriteString(keyboard, text); err != nil {
					t.Error(err)
				}
			}
			s := begin(t, in, append([]string{"produce", "orders", "-o", "jsonl", "-b", g.address}, args...)...)
			types("a\n")
			s.awaits(&s.out, `"offset":1,`)
			g.shut()
			types("b\nc\n")
			s.awaits(&s.problems, "no answer from "+g.address+", trying again: ")
			if name == "it comes back" {
				keyboard.Close()
			}
			then(g, s)
		})
	}
	f("it comes back", func(g *gate, s *session) {
		g.lift()
		s.awaits(&s.problems, g.address+" acknowledges again")
		s.ends(command.OK, "produced 3 records", 1)
	})
	f("the time is over", func(_ *gate, s *session) {
		s.ends(command.Partial, "2 records failed after 1 record written: nothing was acknowledged for 4s (--delivery-timeout): ", 1)
	}, "--delivery-timeout", "4s")
	f("the user has enough", func(_ *gate, s *session) {
		s.interrupt()
		s.ends(command.Partial, "interrupted, with 1 record written and 2 records not acknowledged: ", 1)
	})
}

// A measurement that is ended by Ctrl-C has no failures: what was on its way was the client's own to lose.
func TestBenchInterrupted(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.ControlKey(0, func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return notEnoughReplicas(req.(*kmsg.ProduceRequest)), nil, true
	})
	s := begin(t, strings.NewReader(""), "bench", "produce", "-p", "1", "-d", "1h", "-b", c.ListenAddrs()[0])
	s.awaits(&s.problems, "produced 0 records")
	s.interrupt()
	s.ends(command.OK, "ottla:", 0)
	if got := s.out.text(); !strings.HasPrefix(got, "0 records in ") || strings.Contains(got, "failed") {
		t.Errorf("printed %q", got)
	}
}
