package transport

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Of calls that wait for no disk the scheduler is not told here: to tell it wakes the runtime's monitor, which then looks every 20 us whether
// the call has ended, and that is a tenth of what a fetch costs.

// cachedPages returns how many pages of n bytes of a file are in the page cache (Linux 6.5).
func cachedPages(file uintptr, pos, n int64) (int64, error) {
	at := unix.CachestatRange{Off: uint64(pos), Len: uint64(n)}
	var st unix.Cachestat_t
	if _, _, errno := unix.RawSyscall6(unix.SYS_CACHESTAT, file, uintptr(unsafe.Pointer(&at)), uintptr(unsafe.Pointer(&st)), 0, 0, 0); errno != 0 {
		return 0, errno
	}
	return int64(st.Cache), nil
}

// fileSize returns the size of a file in bytes.
func fileSize(file uintptr) (int64, error) {
	var st unix.Stat_t
	if _, _, errno := unix.RawSyscall(unix.SYS_FSTAT, file, uintptr(unsafe.Pointer(&st)), 0); errno != 0 {
		return 0, errno
	}
	return st.Size, nil
}

// sendfile sends from a file at pos, and moves pos. What is hot needs no disk and is not copied; of the rest the scheduler is told. In smaller
// calls it would cost more: each end of a call makes the kernel push what it has.
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
