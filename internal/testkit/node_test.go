package testkit_test

import (
	"context"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/testkit"
)

func TestNodeServesAndStops(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	id := c.Create("greetings", 1)
	if got := c.Topics()["greetings"]; got != id {
		t.Errorf("the topic's id is %s, was created as %s", got, id)
	}
	c.MustProduce("greetings", 0, testkit.BatchOf(1000, "hello", "world"))
	if got, want := c.Read("greetings", 0, 0), []string{"0=hello", "1=world"}; !slices.Equal(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
	n.Stop()
	c.Closed()
}

func TestClientOfALibrary(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	n.Dial().Create("greetings", 3)
	cl := n.Client(kgo.ConsumeTopics("greetings"), kgo.DefaultProduceTopic("greetings"))
	ctx := context.Background()
	if err := cl.ProduceSync(ctx, kgo.StringRecord("hello")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	fetches := cl.PollFetches(ctx)
	if err := fetches.Err(); err != nil {
		t.Fatal(err)
	}
	if r := fetches.Records(); len(r) != 1 || string(r[0].Value) != "hello" {
		t.Errorf("read %v", r)
	}
}
