package node_test

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/testkit"
)

// A long poll is answered when the node stops, not cut. A request goes out in one piece with each poll, so that the node
// has read both when it answers the first.
func TestStopAnswersLongPolls(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	n.Dial().Create("a", 1)
	var polls []*testkit.Conn
	poll := testkit.FetchRequest("a", 0, 0)
	poll.MaxWaitMillis = 300_000
	for i := range 6 {
		poll.MinBytes = []int32{1, 1000}[i%2]
		c := n.Dial()
		c.Write(append(testkit.Frame(kmsg.NewPtrApiVersionsRequest(), 0, 1), testkit.Frame(poll, 12, 2)...))
		if _, open := c.Answer(); !open {
			t.Fatal("closed")
		}
		polls = append(polls, c)
	}
	n.Stop()
	for _, c := range polls {
		resp, id := c.Receive(poll)
		if f := resp.(*kmsg.FetchResponse); id != 2 || f.ErrorCode != 0 || f.Topics[0].Partitions[0].ErrorCode != 0 {
			t.Errorf("the long poll is answered with %+v", f)
		}
		c.Closed()
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
	for _, want := range sent {
		resp, id, open := c.TryReceive(req)
		if !open {
			break
		}
		if code := resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode; id != want || code != 0 {
			t.Errorf("answer %d, want %d: %s", id, want, testkit.Code(code))
		}
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
