package ottla_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla"
)

// A cluster lives in a bubble: minutes of it pass in a moment of ours. A node that stands still is fenced when its session ends, not a moment
// later, and nothing that was acknowledged is lost.
func TestInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess(), ottla.Topic("t", 1, 3))
		cl, ctx := client(t, c), testContext(t)
		produce(t, cl, "t", 10)
		old := c.Leader("t", 0)
		began := time.Now()
		c.Node(old).Pause()
		if err := c.WaitISR(ctx, "t", 0, others(old)...); err != nil {
			t.Fatal(err)
		}
		t.Logf("fenced after %v", time.Since(began))
		c.Node(old).Resume()
		if err := c.WaitISR(ctx, "t", 0, 1, 2, 3); err != nil {
			t.Fatal(err)
		}
		<-time.After(10 * time.Minute)
		produce(t, cl, "t", 10)
		if got := consume(t, c, "t", 20); got != 20 {
			t.Fatalf("%d records of 20", got)
		}
		cl.Close()
	})
}

// others are the nodes of three but one.
func others(id int32) []int32 {
	var all []int32
	for other := range int32(3) {
		if other+1 != id {
			all = append(all, other+1)
		}
	}
	return all
}
