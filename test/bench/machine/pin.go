package machine

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// CPUs is how many processors this process could use when it began, before it pinned itself.
var CPUs = runtime.NumCPU()

// PinThread ties the calling thread, and what it starts, to CPUs. None means all of them.
func PinThread(cpus []int) error { return pin(0, cpus) }

// PinSelf ties all threads of this process to CPUs, and has Go run on procs threads at a time.
func PinSelf(cpus []int, procs int) error {
	runtime.GOMAXPROCS(procs)
	for range 2 { // a thread that came in between was started by one that is tied by now, at the latest the second time
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, t := range threads {
			tid, err := strconv.Atoi(t.Name())
			if err != nil {
				return err
			}
			if err := pin(tid, cpus); err != nil && err != unix.ESRCH {
				return fmt.Errorf("pin thread %d: %w", tid, err)
			}
		}
	}
	return nil
}

func pin(tid int, cpus []int) error {
	var set unix.CPUSet
	for _, c := range cpus {
		set.Set(c)
	}
	for c := 0; len(cpus) == 0 && c < CPUs; c++ {
		set.Set(c)
	}
	return unix.SchedSetaffinity(tid, &set)
}

// Nap sleeps by the kernel's timer, which is exact where Go's is a millisecond coarse. It holds its thread meanwhile. The
// signals that Go's runtime sends to its threads cut the kernel's sleep short, so it sleeps on.
func Nap(d time.Duration) {
	if d <= 0 {
		return
	}
	left := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&left, &left) == unix.EINTR {
	}
}
