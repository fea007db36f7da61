package node

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/ottla/ottla/internal/kafka"
)

// TestProducerIDsOfManyAtOnce: those who wait share one block, and its refusal.
func TestProducerIDsOfManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, answer := 0, make(chan error)
		p := producerIDs{allocate: func() (block, error) {
			asked++
			return block{1000, 2000}, <-answer
		}}
		var mu sync.Mutex
		given, refused := map[kafka.ProducerID]bool{}, 0
		ask := func() {
			for range 100 {
				go func() {
					id, err := p.Next()
					mu.Lock()
					defer mu.Unlock()
					if given[id] = err == nil; err != nil {
						refused++
					}
				}()
			}
			synctest.Wait()
		}
		ask()
		answer <- errors.New("no controller")
		synctest.Wait()
		if refused != 100 || asked != 1 {
			t.Fatalf("%d refused after asking %d times", refused, asked)
		}
		delete(given, kafka.NoProducerID)
		ask()
		answer <- nil
		synctest.Wait()
		if len(given) != 100 || asked != 2 || p.left != (block{1100, 2000}) {
			t.Errorf("%d ids after asking %d times, left %v", len(given), asked, p.left)
		}
	})
}
