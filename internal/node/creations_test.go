package node

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
)

// Whoever wants topics never waits for them, and what is on its way is not asked for again.
func TestCreationsAreBesideTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var asked [][]string
		answer := make(chan error)
		c := newCreations(config.Sources{}, slog.New(slog.DiscardHandler), func(_ context.Context, req *kmsg.CreateTopicsRequest) error {
			var names []string
			for _, topic := range req.Topics {
				names = append(names, topic.Topic)
			}
			asked = append(asked, names)
			return <-answer
		})
		done := make(chan struct{})
		go func() { c.run(ctx); close(done) }()

		c.Want([]string{"a", "b"})
		synctest.Wait()
		c.Want([]string{"b", "c"}) // while the first request has no answer
		c.Want([]string{"a"})
		for range 2 {
			answer <- nil
			synctest.Wait()
		}
		c.Want([]string{"a"}) // it was refused, perhaps
		answer <- fmt.Errorf("refused")
		synctest.Wait()
		if want := [][]string{{"a", "b"}, {"c"}, {"a"}}; !slices.EqualFunc(asked, want, slices.Equal[[]string]) {
			t.Errorf("asked for %v, want %v", asked, want)
		}
		if len(c.inFlight) != 0 || c.waiting != nil {
			t.Errorf("it still holds %v and %v", c.inFlight, c.waiting)
		}
		stop()
		<-done
	})
}

// Names beyond the bound are dropped, not kept: who asks for too many gets the first, and the others when asking again.
func TestCreationsAreBounded(t *testing.T) {
	c := newCreations(config.Sources{}, slog.New(slog.DiscardHandler), nil)
	names := make([]string, maxCreations+1)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	for range 2 {
		c.Want(names)
		if len(c.inFlight) != maxCreations || len(c.waiting) != 1 {
			t.Fatalf("%d topics are on their way in %d requests, want %d in 1", len(c.inFlight), len(c.waiting), maxCreations)
		}
	}
	c.landed(c.next())
	if c.Want(names[maxCreations:]); len(c.inFlight) != 1 {
		t.Errorf("%d topics are on their way, want the last one", len(c.inFlight))
	}
}

// That groups can't work on this many nodes is said with the key that is to blame, and of nothing else.
func TestCreationsHint(t *testing.T) {
	few := &refusal{topic: kafka.ConsumerOffsetsTopic, message: "too few nodes", code: kerr.InvalidReplicationFactor}
	for _, c := range []struct {
		names []string
		err   error
		hint  bool
	}{
		{[]string{"a", kafka.ConsumerOffsetsTopic}, few, true},
		{[]string{"a"}, few, false},
		{[]string{kafka.ConsumerOffsetsTopic}, kerr.NotController, false},
	} {
		said := fmt.Sprint(hint(c.names, c.err)...)
		if strings.Contains(said, "offsets.topic.replication.factor") != c.hint {
			t.Errorf("%v, %v: %q", c.names, c.err, said)
		}
	}
}
