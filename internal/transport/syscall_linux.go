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
