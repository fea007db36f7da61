package peer_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/wire"
)

// versions are what the other node serves.
var versions = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 12, MinVersion: 0, MaxVersion: 3}, {ApiKey: 13, MinVersion: 5, MaxVersion: 5}}

func fake(t *testing.T, handle func(h wire.Header, body []byte) []byte) *testkit.Fake {
	return &testkit.Fake{T: t, Versions: versions, Handle: handle}
}

// echo answers a heartbeat with its generation as the throttle time.
func echo(h wire.Header, body []byte) []byte {
	req, err := wire.Decode(h, body)
	if err != nil {
		return nil
	}
	resp := kmsg.NewPtrHeartbeatResponse()
	resp.ThrottleMillis = req.(*kmsg.HeartbeatRequest).Generation
	return testkit.Answer(h, resp)
}

func heartbeat(n int32) *kmsg.HeartbeatRequest {
	req := kmsg.NewPtrHeartbeatRequest()
	req.SetVersion(4)
	req.Generation = n
	return req
}

// both runs a test with a client that many may use, and with one that one goroutine has for itself.
func both(t *testing.T, f func(t *testing.T, alone bool)) {
	t.Run("many", func(t *testing.T) { f(t, false) })
	t.Run("alone", func(t *testing.T) { f(t, true) })
}

func client(t *testing.T, s *testkit.Fake, alone bool) *peer.Client {
	c := peer.New(peer.Options{Dial: s.Dial, ID: "1", MaxFrame: 1 << 20, Alone: alone})
	t.Cleanup(c.Close)
	return c
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Many ask at once over one connection, and each gets its own answer, in a version that both sides have.
func TestManyAtOnce(t *testing.T) {
	var seen sync.Map
	s := fake(t, func(h wire.Header, body []byte) []byte {
		seen.Store(h.Version, true)
		return echo(h, body)
	})
	c, ctx := client(t, s, false), within(t)
	var all sync.WaitGroup
	for i := range int32(200) {
		all.Go(func() {
			resp, err := c.Do(ctx, heartbeat(i))
			if err != nil || resp.(*kmsg.HeartbeatResponse).ThrottleMillis != i {
				t.Errorf("%d: %+v, %v", i, resp, err)
			}
		})
	}
	all.Wait()
	if n := s.Dials.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	seen.Range(func(v, _ any) bool {
		if v != int16(3) {
			t.Errorf("version %v", v)
		}
		return true
	})
	if _, err := c.Do(ctx, kmsg.NewPtrLeaveGroupRequest()); !errors.Is(err, kerr.UnsupportedVersion) {
		t.Errorf("a version that the other side has no more: %v", err)
	}
}

// What ends a connection ends what waits on it; the next request has a new one.
func TestBrokenConnections(t *testing.T) { both(t, brokenConnections) }

func brokenConnections(t *testing.T, alone bool) {
	all := map[string]func(wire.Header, []byte) []byte{
		"hangs up":           func(wire.Header, []byte) []byte { return nil },
		"another request's":  func(h wire.Header, b []byte) []byte { h.CorrelationID++; return echo(h, b) },
		"claims to be large": func(wire.Header, []byte) []byte { return []byte{0x7f, 0xff, 0xff, 0xff, 0} },
		"not what was asked": func(h wire.Header, _ []byte) []byte { return []byte{0, 0, 0, 4, 0, 0, 0, byte(h.CorrelationID)} },
	}
	if !alone { // who reads only what it waits for finds it before the next answer, where the connection holds it until then: a pipe does not
		all["answers twice, at odd"] = func(h wire.Header, b []byte) []byte { return append(echo(h, b), 0, 0, 0, 4, 0, 0, 0, 9) }
	}
	for name, bad := range all {
		t.Run(name, func(t *testing.T) {
			var broken atomic.Bool
			s := fake(t, func(h wire.Header, body []byte) []byte {
				if broken.CompareAndSwap(false, true) {
					return bad(h, body)
				}
				return echo(h, body)
			})
			c, ctx := client(t, s, alone), within(t)
			for tries := 0; ; tries++ {
				resp, err := c.Do(ctx, heartbeat(5))
				if err == nil && s.Dials.Load() == 2 && resp.(*kmsg.HeartbeatResponse).ThrottleMillis == 5 {
					return
				}
				if err != nil && !errors.Is(err, peer.ErrUnreachable) || tries > 1000 {
					t.Fatalf("%v after %d connections", err, s.Dials.Load())
				}
			}
		})
	}
}

// A node that does not answer in time is not waited for, and neither are the requests behind on that connection.
func TestSilence(t *testing.T) { both(t, silence) }

func silence(t *testing.T, alone bool) {
	silent := make(chan struct{})
	var quiet atomic.Bool
	s := fake(t, func(h wire.Header, body []byte) []byte {
		if quiet.CompareAndSwap(false, true) {
			<-silent
			return nil
		}
		return echo(h, body)
	})
	defer close(silent)
	c := client(t, s, alone)
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Do(short, heartbeat(1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if resp, err := c.Do(within(t), heartbeat(2)); err != nil || resp.(*kmsg.HeartbeatResponse).ThrottleMillis != 2 {
		t.Fatalf("%+v, %v", resp, err)
	}
	c.Close()
	if _, err := c.Do(within(t), heartbeat(3)); !errors.Is(err, peer.ErrClosed) {
		t.Fatal(err)
	}
}

func TestNobodyListens(t *testing.T) {
	refused := errors.New("refused")
	c := peer.New(peer.Options{Dial: func(context.Context) (net.Conn, error) { return nil, refused }, MaxFrame: 1 << 20})
	defer c.Close()
	if _, err := c.Do(within(t), heartbeat(1)); !errors.Is(err, peer.ErrUnreachable) || !errors.Is(err, refused) {
		t.Fatal(err)
	}
}

// Who gives up before the deadline leaves the connection to the others: the late answer is nobody's.
func TestGivingUp(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	s := fake(t, func(h wire.Header, body []byte) []byte {
		if h.CorrelationID == 1 {
			close(asked)
			<-answer
		}
		return echo(h, body)
	})
	c := client(t, s, false)
	ctx, cancel := context.WithCancel(within(t))
	go func() {
		<-asked
		cancel()
	}()
	if _, err := c.Do(ctx, heartbeat(1)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(answer)
	if resp, err := c.Do(within(t), heartbeat(2)); err != nil || resp.(*kmsg.HeartbeatResponse).ThrottleMillis != 2 || s.Dials.Load() != 1 {
		t.Fatalf("%+v, %v after %d connections", resp, err, s.Dials.Load())
	}
}

func TestPause(t *testing.T) {
	if err := peer.Pause(within(t), time.Millisecond); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(within(t))
	cancel()
	if err := peer.Pause(ended, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
