package rawconn

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// shortCall is how much a system call may move while the scheduler does not know of it, in bytes: that much is copied in some ten microseconds. The
// scheduler is told of longer ones, and may give the processor to others meanwhile.
const shortCall = 64 << 10

// Receive is recv from a socket, without waiting: the error is then unix.EAGAIN.
func Receive(fd int, p []byte, flags int) (int, error) {
	return moved(unix.SYS_RECVFROM, fd, p, flags|unix.MSG_DONTWAIT)
}

// Transmit is send to a socket, without waiting: the error is then unix.EAGAIN. It raises no signal.
func Transmit(fd int, p []byte, flags int) (int, error) {
	return moved(unix.SYS_SENDTO, fd, p, flags|unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
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
