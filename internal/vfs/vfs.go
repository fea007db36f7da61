package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"
)

// Errors of this package, to be told apart with errors.Is. A name that does not exist gives fs.ErrNotExist, one that does fs.ErrExist.
var (
	// ErrSyncFailed says that a sync failed, so that what is on the disk is unknown. It must not be tried again.
	ErrSyncFailed = errors.New("sync failed")
	// ErrNoSpace says that the disk or the quota is full. Every error that has this reason wraps it.
	ErrNoSpace = errors.New("no space left")
	// ErrNoFiles says that the process, or the system, has no descriptor left. Every error of the operating system's that has this reason wraps it.
	ErrNoFiles = errors.New("no descriptors left")
	// ErrLocked says that another process, or another holder in this one, has the lock.
	ErrLocked = errors.New("locked by another holder")
)

// Passes reports whether an error says nothing of a disk's health: it is full, or no descriptor is left. What failed may be tried again.
func Passes(err error) bool { return errors.Is(err, ErrNoSpace) || errors.Is(err, ErrNoFiles) }

// FS is a file system. Names are slash-separated paths as the implementation understands them. All methods may be called concurrently.
type FS interface {
	// Open opens an existing file for reading.
	Open(name string) (File, error)
	// OpenWrite opens an existing file for reading and writing.
	OpenWrite(name string) (File, error)
	// Create makes an empty file, emptying one that exists, and opens it for reading and writing.
	Create(name string) (File, error)
	// Remove removes a file or an empty folder.
	Remove(name string) error
	// Rename moves a file or folder within its folder, atomically replacing a file of the new name.
	Rename(from, to string) error
	// Mkdir makes a folder; its parent must exist.
	Mkdir(name string) error
	// ReadDir returns what a folder holds, sorted by name.
	ReadDir(name string) ([]Entry, error)
	// List returns the names of what a folder holds, sorted: cheaper than ReadDir.
	List(name string) ([]string, error)
	// Stat describes a file or folder.
	Stat(name string) (Entry, error)
	// SyncDir makes the creations, renames and removals in a folder durable. Its errors wrap ErrSyncFailed.
	SyncDir(name string) error
	// Whole opens the file system of a folder, to make all that is written to it durable at once. Close it. The error wraps
	// errors.ErrUnsupported where there is no such thing.
	Whole(name string) (Whole, error)
	// Lock takes the exclusive lock of a file, creating it if need be, until the Closer is closed or the process ends.
	// It excludes a Java process that locks the same file. Errors wrap ErrLocked where somebody has it.
	Lock(name string) (io.Closer, error)
	// Identity names a folder itself, whatever its path: by the file system and the place in it. It says nothing beyond the life of the machine.
	Identity(name string) (string, error)
	// Space returns what is free and what there is, in bytes, on the file system of a file or folder.
	Space(name string) (Space, error)
}

// File is an open file. Its methods may be called concurrently, but for Close, which must come last.
type File interface {
	io.ReaderAt
	// WriteAt writes all of p at offset, or fails: then any part of p may have been written. Errors wrap ErrNoSpace where that is why.
	io.WriterAt
	// Truncate sets the size; a longer file gains zeros.
	Truncate(size int64) error
	// Preallocate reserves blocks for [offset, offset+length) without changing the size. It is a hint: an implementation may do nothing.
	Preallocate(offset, length int64) error
	// Sync makes the content and the size durable. Its errors wrap ErrSyncFailed.
	Sync() error
	// Size returns the size in bytes.
	Size() (int64, error)
	Close() error
}

// Whole is a file system to be synced as a whole, what others wrote to it included: far cheaper than many syncs one by one.
type Whole interface {
	// Sync makes durable all that was written, created, renamed and removed before. The error wraps ErrSyncFailed, also if a write failed
	// in the background at any time since Whole, or since the last Sync.
	Sync() error
	Close() error
}

// Descriptor is a File of the operating system. The descriptor is good until the File is closed; its blocking mode is untouched.
type Descriptor interface {
	Descriptor() uintptr
}

// Entry describes a file or folder.
type Entry struct {
	Name    string // without its folder
	Size    int64  // in bytes; 0 for folders
	Dir     bool
	Odd     bool // neither a folder nor a regular file, but such as a named pipe
	ModTime time.Time
}

// Regular reports whether the entry is a regular file.
func (e Entry) Regular() bool { return !e.Dir && !e.Odd }

// Space tells how full a file system is, in bytes.
type Space struct {
	Free, Total int64
}

// ReadFile returns the content of a file.
func ReadFile(f FS, name string) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	n, err := file.ReadAt(b, 0)
	if err == io.EOF {
		err = nil
	}
	return b[:n], err
}

// WriteFile replaces a file's content so that a crash leaves either the old or the new one: it writes name.tmp, syncs it, renames it
// and syncs the folder.
func WriteFile(f FS, name string, content []byte) error {
	temp := name + ".tmp"
	if err := writeSynced(f, temp, content); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := f.Rename(temp, name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return f.SyncDir(path.Dir(name))
}

// WriteFileUnsynced replaces a file's content likewise, but leaves the syncs to a Whole: a crash before that leaves the old content, the new,
// or any part of it.
func WriteFileUnsynced(f FS, name string, content []byte) error {
	temp := name + ".tmp"
	file, err := f.Create(temp)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(content, 0)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return f.Rename(temp, name)
}

func writeSynced(f FS, name string, content []byte) error {
	file, err := f.Create(name)
	if err != nil {
		return err
	}
	if _, err := file.WriteAt(content, 0); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Sync(); err != nil {
		return errors.Join(err, file.Close())
	}
	return file.Close()
}

// Exists reports whether there is a file or folder of that name; an error other than fs.ErrNotExist is returned.
func Exists(f FS, name string) (bool, error) {
	_, err := f.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// MkdirAll makes a folder and those above it, syncing each folder that gained one.
func MkdirAll(f FS, name string) error {
	if ok, err := Exists(f, name); ok || err != nil {
		return err
	}
	parent := path.Dir(name)
	if parent != name {
		if err := MkdirAll(f, parent); err != nil {
			return err
		}
	}
	if err := f.Mkdir(name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return f.SyncDir(parent)
}

// RemoveAll removes a file, or a folder with all that it holds. A name that does not exist is no error.
func RemoveAll(f FS, name string) error {
	entry, err := f.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if entry.Dir {
		entries, err := f.ReadDir(name)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := RemoveAll(f, path.Join(name, e.Name)); err != nil {
				return err
			}
		}
	}
	if err := f.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
