package peer

import "syscall"

// childAttr makes the kernel end the child when this process dies, so that no server is left behind.
func childAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
