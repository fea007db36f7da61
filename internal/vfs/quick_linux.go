package vfs

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Small reads and writes of what is in the page cache take a microsecond. Telling the scheduler of such a call costs a node that
// has little to do ten times that: its monitor, which sleeps while nothing runs, is woken to look after the call. So they are made
// without. What may wait for the disk must not be: nothing else would run on the processor meanwhile.
const (
	quickBytes = 16 << 10
	// slowWrite is how long a quick write may take: as long as the scheduler itself would let a call hold an idle processor.
	slowWrite = 10 * time.Millisecond
	// penance is for how many times as long, after a slow one, there are no quick writes.
	penance = 100
	// wide says that an offset is one argument of a system call.
	wide = unsafe.Sizeof(uintptr(0)) == 8
)

// quick guards the quick calls of this process.
var quick struct {
	writing     atomic.Bool  // one at a time, so that no more than one processor can be held up
	distrusted  atomic.Int64 // ns since began until when the disk is not trusted
	waitingOnly atomic.Bool  // the kernel can't be told not to wait in a read
}

var began = time.Now()

// quickWrite writes what it can at once, and returns how much that was. It does not say why it was not all: whoever writes the rest
// learns it. A write to the page cache can't be told not to wait, so that a disk which made one wait is not trusted for a while.
func quickWrite(fd uintptr, p []byte, offset int64) int {
	if len(p) > quickBytes || !wide {
		return 0
	}
	start := time.Since(began)
	if int64(start) < quick.distrusted.Load() || !quick.writing.CompareAndSwap(false, true) {
		return 0
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_PWRITE64, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), uintptr(offset), 0, 0)
	quick.writing.Store(false)
	if now := time.Since(began); now-start > slowWrite {
		quick.distrusted.Store(int64(now + penance*(now-start)))
	}
	if errno != 0 {
		return 0
	}
	return int(n)
}

// quickRead reads what is in the page cache, and returns how much that was.
func quickRead(fd uintptr, p []byte, offset int64) int {
	if len(p) > quickBytes || len(p) == 0 || !wide || quick.waitingOnly.Load() {
		return 0
	}
	v := unix.Iovec{Base: unsafe.SliceData(p)}
	v.SetLen(len(p))
	n, _, errno := unix.RawSyscall6(unix.SYS_PREADV2, fd, uintptr(unsafe.Pointer(&v)), 1, uintptr(offset), 0, unix.RWF_NOWAIT)
	switch errno {
	case 0:
		return int(n)
	case unix.ENOSYS, unix.EOPNOTSUPP:
		quick.waitingOnly.Store(true)
	}
	return 0
}
