//go:build unix && !linux

package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func syncFile(f *os.File) error { return f.Sync() }

func syncsWhole() bool { return false }

func syncWhole(*os.File) error { return errors.ErrUnsupported }

func preallocate(uintptr, int64, int64) error { return nil }

func lockFile(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		return ErrLocked
	}
	return err
}

func spaceOf(string) (Space, error) { return Space{}, unix.ENOTSUP }

func quickWrite(uintptr, []byte, int64) int { return 0 }

func quickRead(uintptr, []byte, int64) int { return 0 }
