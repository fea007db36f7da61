package ports

import (
	"net"
	"os"
	"syscall"
)

// hold binds a socket that never listens. SO_REUSEADDR lets others that have it too, as Go's listeners do, bind the same port, but only by its number.
func hold(address *net.TCPAddr) (int, *os.File, error) {
	family, at := syscall.AF_INET6, syscall.Sockaddr(&syscall.SockaddrInet6{Addr: [16]byte(address.IP.To16())})
	if ip := address.IP.To4(); ip != nil {
		family, at = syscall.AF_INET, &syscall.SockaddrInet4{Addr: [4]byte(ip)}
	}
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, os.NewSyscallError("socket", err)
	}
	held := os.NewFile(uintptr(fd), "port")
	number, err := bind(fd, at)
	if err != nil {
		_ = held.Close() // it holds nothing
		return 0, nil, err
	}
	return number, held, nil
}

func bind(fd int, at syscall.Sockaddr) (int, error) {
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(fd, at); err != nil {
		return 0, os.NewSyscallError("bind", err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, os.NewSyscallError("getsockname", err)
	}
	if v4, ok := bound.(*syscall.SockaddrInet4); ok {
		return v4.Port, nil
	}
	return bound.(*syscall.SockaddrInet6).Port, nil
}
