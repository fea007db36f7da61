package node_test

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/testkit"
)

// A long poll is answered when the node stops, not cut.
func TestStopAnswersLongPolls(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 1)
	var polls []*testkit.Conn
	req := testkit.FetchRequest("a", 0, 0)
	req.MaxWaitMillis = 300_000
	for range 3 {
		poll := n.Dial()
		poll.Send(req, 12)
		// One that is answered behind the poll can't be, so the poll has been read when a second connection's request,
		// sent later, was answered: requests of one connection are handled in order.
		polls = append(polls, poll)
	}
	c.Topics()
	n.Stop()
	for _, poll := range polls {
		body, open := poll.Answer()
		if !open {
			continue // its request had not been read when the node stopped
		}
		if len(body) == 0 {
			t.Error("the long poll is answered with nothing")
		}
		poll.Closed()
	}
}

// Requests that were sent before the stop and that the node has read are all answered, in order.
func TestStopAnswersWhatIsOwed(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 1)
	req := testkit.ProduceRequest("a", 0, -1, testkit.BatchOf(1, "x"))
	var sent []int32
	for range 20 {
		sent = append(sent, c.Send(req, 12))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.Stop()
	}()
	answered := 0
	for _, id := range sent {
		body, open := c.Answer()
		if !open {
			break
		}
		_ = body
		_ = id
		answered++
	}
	<-done
	n = testkit.Start(t, testkit.Options{FS: n.FS})
	if got := n.Dial().Read("a", 0, 0); len(got) < answered {
		t.Errorf("%d writes were acknowledged, %d are there", answered, len(got))
	}
}

// Connections that owe nothing and get nothing do not hold up a stop.
func TestStopClosesIdleConnections(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	idle, half := n.Dial(), n.Dial()
	frame := testkit.Frame(kmsg.NewPtrApiVersionsRequest(), 0, 1)
	half.Write(frame[:len(frame)-1])
	n.Stop()
	idle.Closed()
	half.Closed()
}

func TestStopOfANodeThatNeverStarted(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	n.Stop()
	names := n.Names("/data")
	n = testkit.Start(t, testkit.Options{FS: n.FS})
	n.Stop()
	if got := n.Names("/data"); !slices.Equal(got, names) {
		t.Errorf("two idle lives leave %q and %q", names, got)
	}
}
