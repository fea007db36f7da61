//go:build !linux

package transport

import "net"

// newStream copies everything: sendfile and what else makes a socket quick is Linux's.
func newStream(nc net.Conn) (stream, error) { return &pipe{nc: nc}, nil }
