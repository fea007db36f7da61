package load

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleep is exact to some microseconds, where a timer of Go's may be a millisecond late and would be measured as the server's.
func sleep(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&ts, nil) // woken early is on time enough
}
