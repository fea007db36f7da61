package partition

import "time"

// throttle keeps what is taken to a rate: each taking is paid for by the wait after it.
type throttle struct {
	rate  float64   // bytes a second; 0 or less: none at all
	ready time.Time // when all that was taken is paid for
}

// longestPause bounds one wait, so that a raised limit is noticed.
const longestPause = time.Minute

// take takes bytes at now, and returns how long to wait before the next taking.
func (t *throttle) take(bytes int64, now time.Time) time.Duration {
	if bytes <= 0 {
		return 0
	}
	cost := longestPause
	if seconds := float64(bytes) / t.rate; t.rate > 0 && seconds < longestPause.Seconds() {
		cost = time.Duration(seconds * float64(time.Second))
	}
	if t.ready.Before(now) {
		t.ready = now
	}
	t.ready = t.ready.Add(cost)
	return min(t.ready.Sub(now), longestPause)
}
