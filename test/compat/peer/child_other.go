//go:build !linux

package peer

import "syscall"

// childAttr has nothing to offer here: only Linux ends a child with its parent.
func childAttr() *syscall.SysProcAttr { return nil }
