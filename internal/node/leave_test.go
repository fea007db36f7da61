package node_test

import (
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/testkit"
)

// TestAllStopAtOnce: nodes that are asked to end at the same time do not wait for a quorum that will not come again.
func TestAllStopAtOnce(t *testing.T) {
	for range 2 {
		c := testkit.StartCluster(t, 3, testkit.Options{})
		c.Nodes[0].Dial().Create("a", 6)
		began := time.Now()
		c.StopAll()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("three nodes took %v to end", took)
		}
		var all sync.WaitGroup
		for id := 1; id <= 3; id++ {
			all.Go(func() { c.Restart(id) })
		}
		all.Wait()
		c.StopAll()
	}
}
