package transport

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// sendfile sends from a file at pos, and moves pos. What is hot needs no disk and is not copied: a chunk of it goes while the scheduler
// does not know. In smaller calls it would cost more: each end of a call makes the kernel push what it has.
func sendfile(fd int, file uintptr, pos *int64, n int, hot bool) (int, error) {
	if !hot {
		return unix.Sendfile(fd, int(file), pos, n)
	}
	sent, _, errno := unix.RawSyscall6(unix.SYS_SENDFILE, uintptr(fd), file, uintptr(unsafe.Pointer(pos)), uintptr(n), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(sent), nil
}
