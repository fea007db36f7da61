package vfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// OS is the machine's file system. Names are the machine's paths.
type OS struct{}

// Open implements FS.
func (OS) Open(name string) (File, error) { return openOS(name, os.O_RDONLY) }

// OpenWrite implements FS.
func (OS) OpenWrite(name string) (File, error) { return openOS(name, os.O_RDWR) }

// Create implements FS.
func (OS) Create(name string) (File, error) { return openOS(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC) }

// Remove implements FS.
func (OS) Remove(name string) error { return os.Remove(name) }

// Rename implements FS.
func (OS) Rename(from, to string) error { return passing(os.Rename(from, to)) }

// Mkdir implements FS.
func (OS) Mkdir(name string) error { return passing(os.Mkdir(name, 0o755)) }

// ReadDir implements FS. A file that vanishes meanwhile is left out.
func (OS) ReadDir(name string) ([]Entry, error) {
	list, err := os.ReadDir(name)
	if err != nil {
		return nil, passing(err)
	}
	entries := make([]Entry, 0, len(list))
	for _, e := range list {
		info, err := e.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, entryOf(info))
	}
	return entries, nil
}

// List implements FS.
func (OS) List(name string) ([]string, error) {
	dir, err := os.Open(name)
	if err != nil {
		return nil, passing(err)
	}
	names, err := dir.Readdirnames(-1)
	slices.Sort(names)
	return names, errors.Join(err, dir.Close())
}

// Stat implements FS.
func (OS) Stat(name string) (Entry, error) {
	info, err := os.Stat(name)
	if err != nil {
		return Entry{}, err
	}
	return entryOf(info), nil
}

func entryOf(info os.FileInfo) Entry {
	e := Entry{Name: info.Name(), Dir: info.IsDir(), Odd: !info.IsDir() && !info.Mode().IsRegular(), ModTime: info.ModTime()}
	if !e.Dir {
		e.Size = info.Size()
	}
	return e
}

// SyncDir implements FS.
func (OS) SyncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return passing(err)
	}
	if err := dir.Sync(); err != nil {
		return errors.Join(fmt.Errorf("%w: %w", ErrSyncFailed, err), dir.Close())
	}
	return dir.Close()
}

// Whole implements FS.
func (OS) Whole(name string) (Whole, error) {
	if !syncsWhole() {
		return nil, &os.PathError{Op: "syncfs", Path: name, Err: errors.ErrUnsupported}
	}
	dir, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return osWhole{dir}, nil
}

type osWhole struct{ *os.File }

// Sync implements Whole.
func (w osWhole) Sync() error {
	if err := syncWhole(w.File); err != nil {
		return fmt.Errorf("%w: file system of %s: %w", ErrSyncFailed, w.Name(), err)
	}
	return nil
}

// Lock implements FS.
func (OS) Lock(name string) (io.Closer, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(abs, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
	}
	return f, nil
}

// Identity implements FS: the device and the inode.
func (OS) Identity(name string) (string, error) {
	var s unix.Stat_t
	if err := unix.Stat(name, &s); err != nil {
		return "", &os.PathError{Op: "stat", Path: name, Err: err}
	}
	return fmt.Sprintf("%d:%d", s.Dev, s.Ino), nil
}

// Space implements FS.
func (OS) Space(name string) (Space, error) { return spaceOf(name) }

type osFile struct {
	*os.File
	fd uintptr
}

// openOS leaves out what os.OpenFile does for files that could be waited for: a regular file can't.
func openOS(name string, flags int) (File, error) {
	for {
		fd, err := unix.Open(name, flags|unix.O_CLOEXEC, 0o644)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, passing(&os.PathError{Op: "open", Path: name, Err: err})
		}
		return &osFile{File: os.NewFile(uintptr(fd), name), fd: uintptr(fd)}, nil
	}
}

// Descriptor implements Descriptor.
func (f *osFile) Descriptor() uintptr { return f.fd }

// WriteAt implements File.
func (f *osFile) WriteAt(p []byte, offset int64) (int, error) {
	done := quickWrite(f.fd, p, offset)
	if done == len(p) {
		return done, nil
	}
	n, err := f.File.WriteAt(p[done:], offset+int64(done))
	if err != nil {
		err = passing(err)
	}
	return done + n, err
}

// ReadAt implements File.
func (f *osFile) ReadAt(p []byte, offset int64) (int, error) {
	done := quickRead(f.fd, p, offset)
	if done == len(p) {
		return done, nil
	}
	n, err := f.File.ReadAt(p[done:], offset+int64(done))
	return done + n, err
}

// Size implements File.
func (f *osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Sync implements File.
func (f *osFile) Sync() error {
	if err := syncFile(f.File); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrSyncFailed, f.Name(), err)
	}
	return nil
}

// Preallocate implements File.
func (f *osFile) Preallocate(offset, length int64) error {
	return passing(preallocate(f.fd, offset, length))
}

// passing marks errors that say nothing of the disk's health.
func passing(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return fmt.Errorf("%w: %w", ErrNoFiles, err)
	}
	return err
}
