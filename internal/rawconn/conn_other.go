//go:build !linux

package rawconn

import "net"

// New returns nc itself: quick calls are Linux's.
func New(nc net.Conn) net.Conn { return nc }
