package transport

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// shortCall is how much a system call may move while the scheduler does not know of it, in bytes: the socket does not block, and
// so much is copied in some ten microseconds. Telling the scheduler would cost more than a small call itself: it wakes the
// runtime's monitor, which may give the processor away in the middle of the call.
const shortCall = 64 << 10

// receive is recv of a socket that does not block.
func receive(fd int, p []byte) (int, error) {
	return moved(unix.SYS_RECVFROM, fd, p, unix.MSG_DONTWAIT)
}

// transmit is send of a socket that does not block.
func transmit(fd int, p []byte, flags int) (int, error) {
	return moved(unix.SYS_SENDTO, fd, p, unix.MSG_DONTWAIT|flags)
}

func moved(call uintptr, fd int, p []byte, flags int) (int, error) {
	var n uintptr
	var errno unix.Errno
	if len(p) <= shortCall {
		n, _, errno = unix.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), uintptr(flags), 0, 0)
	} else {
		n, _, errno = unix.Syscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), uintptr(flags), 0, 0)
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

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
