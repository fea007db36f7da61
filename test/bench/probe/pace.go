package probe

import (
	"time"

	"github.com/ottla/ottla/test/bench/machine"
)

// pace calls f for n intended times from start on. It does not wait for what f caused, and does not leave out what is late.
func pace(perSecond, n int, start time.Time, f func(i int, intended time.Time) error) error {
	for i := range n {
		intended := start.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		machine.Nap(time.Until(intended))
		if err := f(i, intended); err != nil {
			return err
		}
	}
	return nil
}
