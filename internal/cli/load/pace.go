package load

import (
	"context"
	"time"
)

// pace calls f for each of n records at its intended moment, rate a second; a late one does not move those after it. A rate of 0 is
// as fast as f returns, and the intended moment is now; n = 0 is no bound. It ends early, without an error, with ctx.
func pace(ctx context.Context, now func() time.Time, rate int, n int64, length time.Duration, f func(intended time.Time) error) error {
	began := now()
	for i := int64(0); n == 0 || i < n; i++ {
		at := now()
		if rate > 0 {
			intended := began.Add(time.Duration(float64(i) / float64(rate) * float64(time.Second)))
			if wait := intended.Sub(at); wait > 0 {
				sleep(wait)
			}
			at = intended
		}
		if ctx.Err() != nil || length > 0 && at.Sub(began) >= length {
			return nil
		}
		if err := f(at); err != nil {
			return err
		}
	}
	return nil
}
