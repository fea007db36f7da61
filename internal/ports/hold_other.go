//go:build !linux

package ports

import (
	"net"
	"os"
)

// hold finds a free port. Here nobody can listen where another socket is bound: it can't be held.
func hold(address *net.TCPAddr) (int, *os.File, error) {
	l, err := net.ListenTCP("tcp", address)
	if err != nil {
		return 0, nil, err
	}
	return l.Addr().(*net.TCPAddr).Port, nil, l.Close()
}
