package vfs

import (
	"golang.org/x/sys/unix"
)

// Memory returns size bytes of zeros outside of the garbage collector's heap, and what gives them back at once: for what is large, short-lived and holds
// no pointers. The bytes must not be used after that.
func Memory(size int) ([]byte, func(), error) {
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, err
	}
	_ = unix.Madvise(b, unix.MADV_HUGEPAGE) // a hint: searches all over it cost less
	return b, func() { _ = unix.Munmap(b) }, nil
}
