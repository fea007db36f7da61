package row

import (
	"github.com/ottla/ottla/test/bench/stage"
)

// partitions of the workload W.
const partitions = 12

// All are the workloads of all series, by key.
func All() map[string]*stage.Workload {
	all := map[string]*stage.Workload{}
	for _, list := range [][]*stage.Workload{produceRows(), smallRows(), latencyRows(), fetchRows(), foreignRows(),
		cliffRows(), memoryRows(), startRows(), recoveryRows(), partitionRows(), rebalanceRows(), compactRows(), durableRows(), idleRows(), compressedRows(), failoverRows()} {
		for _, w := range list {
			all[w.Key] = w
		}
	}
	return all
}
