package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
)

// startBudget is the CPU time that a tool may take from its start to its end. The time on the clock is another thing on a
// machine with other work to do.
const startBudget = 30 * time.Millisecond

// measureStart tells the median CPU time of 20 runs.
func (s *suite) measureStart(ctx context.Context) (slow int, err error) {
	cells, err := s.start(ctx, peer.Ottla, "start", &ours{})
	if err != nil {
		return 0, err
	}
	defer stop(cells)
	for _, args := range [][]string{{"--version"}, {"--bootstrap-server", cells[0].peer.Addr(), "--list"}} {
		var cpu, wall []time.Duration
		for range 20 {
			cmd := exec.CommandContext(ctx, filepath.Join(s.dir, "links", "kafka-topics.sh"), args...)
			began := time.Now()
			if out, err := cmd.CombinedOutput(); err != nil {
				return 0, fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
			}
			wall = append(wall, time.Since(began))
			cpu = append(cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		}
		slices.Sort(cpu)
		slices.Sort(wall)
		fmt.Printf("kafka-topics.sh %s: %v of CPU, %v by the clock (medians of 20)\n", args[len(args)-1],
			cpu[10].Round(100*time.Microsecond), wall[10].Round(100*time.Microsecond))
		if cpu[10] > startBudget {
			slow++
			fmt.Printf("SLOW  the budget is %v of CPU\n", startBudget)
		}
	}
	return slow, nil
}
