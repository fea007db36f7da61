package placement

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestPlacement: replicas of a partition are distinct, on different racks while there are racks, and spread evenly.
func TestPlacement(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 3))
		racks := 1 + rng.IntN(4)
		var brokers []Broker
		for i := range 2 + rng.IntN(7) {
			rack := fmt.Sprint("rack", i%racks)
			brokers = append(brokers, Broker{ID: int32(i), Rack: &rack, Fenced: i > 1 && rng.IntN(4) == 0})
		}
		p := Over(rng, brokers)
		replicas := 1 + rng.IntN(len(brokers))
		load := make(map[int32]int)
		for range 40 {
			nodes := p.Next(replicas)
			distinct, used := make(map[int32]bool), make(map[string]int)
			alive := false
			for _, n := range nodes {
				distinct[n] = true
				used[*brokers[n].Rack]++
				alive = alive || !brokers[n].Fenced
				load[n]++
			}
			if len(distinct) != replicas || !alive {
				t.Fatalf("seed %d: replicas %v", seed, nodes)
			}
			if brokers[nodes[0]].Fenced {
				t.Fatalf("seed %d: the preferred leader of %v is fenced", seed, nodes)
			}
			if replicas >= racks && len(used) < min(racks, replicas) {
				t.Fatalf("seed %d: replicas %v use %d of %d racks", seed, nodes, len(used), racks)
			}
		}
	}
}
