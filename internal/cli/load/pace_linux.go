package load

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleep is exact to some microseconds, where a timer of Go's may be a millisecond late and would be measured as the server's. It goes
// on after a signal: the runtime sends them to its own threads.
func sleep(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&left, &left) == unix.EINTR {
	}
}
