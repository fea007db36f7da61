package vfs

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
)

// OpKind names an operation of FS or File.
type OpKind string

// The operations that Faulty shows to its hook.
const (
	OpOpen        OpKind = "open"
	OpCreate      OpKind = "create"
	OpRemove      OpKind = "remove"
	OpRename      OpKind = "rename"
	OpMkdir       OpKind = "mkdir"
	OpReadDir     OpKind = "readdir"
	OpStat        OpKind = "stat"
	OpSyncDir     OpKind = "syncdir"
	OpLock        OpKind = "lock"
	OpSyncWhole   OpKind = "syncwhole"
	OpSpace       OpKind = "space"
	OpRead        OpKind = "read"
	OpWrite       OpKind = "write"
	OpTruncate    OpKind = "truncate"
	OpPreallocate OpKind = "preallocate"
	OpSync        OpKind = "sync"
	OpClose       OpKind = "close"
)

// Op is an operation about to be done.
type Op struct {
	Kind   OpKind
	Name   string
	To     string // the new name of a rename
	Offset int64  // of a read, write or preallocation; the new size of a truncation
	Length int64  // of a read, write or preallocation
}

// Changes reports whether the operation changes the disk or makes changes durable.
func (o Op) Changes() bool {
	switch o.Kind {
	case OpCreate, OpRemove, OpRename, OpMkdir, OpSyncDir, OpSyncWhole, OpWrite, OpTruncate, OpSync:
		return true
	}
	return false
}

// String returns the operation as a line of a trace; of names only the last two elements.
func (o Op) String() string {
	s := string(o.Kind) + " " + lastTwo(o.Name)
	switch o.Kind {
	case OpRename:
		s += " " + lastTwo(o.To)
	case OpRead, OpWrite, OpPreallocate:
		s += fmt.Sprintf(" %d+%d", o.Offset, o.Length)
	case OpTruncate:
		s += fmt.Sprintf(" %d", o.Offset)
	}
	return s
}

func lastTwo(name string) string {
	dir, base := path.Split(name)
	if base == "" {
		return name
	}
	if parent := path.Base(dir); parent != "/" && parent != "." {
		return parent + "/" + base
	}
	return base
}

// Hook is called before each operation. If it returns an error, the operation is not done and fails with it; a *ShortWrite error lets the
// beginning of a write happen.
type Hook func(Op) error

// ShortWrite is the error of a write of which only the first bytes reach the file.
type ShortWrite struct {
	Written int
	Err     error
}

// Error returns the text of Err.
func (s *ShortWrite) Error() string { return s.Err.Error() }

// Unwrap returns Err.
func (s *ShortWrite) Unwrap() error { return s.Err }

// FailNth returns a hook that fails the nth operation (from 1) of that kind whose name contains part, and, if forever, all such after it.
func FailNth(kind OpKind, part string, nth int, forever bool, err error) Hook {
	var mu sync.Mutex // guards seen
	seen := 0
	return func(o Op) error {
		if o.Kind != kind || !strings.Contains(o.Name, part) {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		seen++
		if seen == nth || forever && seen > nth {
			return err
		}
		return nil
	}
}

// Faulty is an FS whose operations pass a hook first.
type Faulty struct {
	under FS
	mu    sync.Mutex // guards hook
	hook  Hook
}

// NewFaulty returns under with a hook, which may be nil.
func NewFaulty(under FS, hook Hook) *Faulty { return &Faulty{under: under, hook: hook} }

// SetHook replaces the hook.
func (f *Faulty) SetHook(hook Hook) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = hook
}

func (f *Faulty) before(o Op) error {
	f.mu.Lock()
	hook := f.hook
	f.mu.Unlock()
	if hook == nil {
		return nil
	}
	err := hook(o)
	if err != nil && (o.Kind == OpSync || o.Kind == OpSyncDir || o.Kind == OpSyncWhole) {
		err = fmt.Errorf("%w: %w", ErrSyncFailed, err)
	}
	return err
}

func (f *Faulty) wrap(o Op, open func(string) (File, error)) (File, error) {
	if err := f.before(o); err != nil {
		return nil, err
	}
	file, err := open(o.Name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{under: file, f: f, name: o.Name}, nil
}

// Open implements FS.
func (f *Faulty) Open(name string) (File, error) {
	return f.wrap(Op{Kind: OpOpen, Name: name}, f.under.Open)
}

// OpenWrite implements FS.
func (f *Faulty) OpenWrite(name string) (File, error) {
	return f.wrap(Op{Kind: OpOpen, Name: name}, f.under.OpenWrite)
}

// Create implements FS.
func (f *Faulty) Create(name string) (File, error) {
	return f.wrap(Op{Kind: OpCreate, Name: name}, f.under.Create)
}

// Remove implements FS.
func (f *Faulty) Remove(name string) error {
	if err := f.before(Op{Kind: OpRemove, Name: name}); err != nil {
		return err
	}
	return f.under.Remove(name)
}

// Rename implements FS.
func (f *Faulty) Rename(from, to string) error {
	if err := f.before(Op{Kind: OpRename, Name: from, To: to}); err != nil {
		return err
	}
	return f.under.Rename(from, to)
}

// Mkdir implements FS.
func (f *Faulty) Mkdir(name string) error {
	if err := f.before(Op{Kind: OpMkdir, Name: name}); err != nil {
		return err
	}
	return f.under.Mkdir(name)
}

// ReadDir implements FS.
func (f *Faulty) ReadDir(name string) ([]Entry, error) {
	if err := f.before(Op{Kind: OpReadDir, Name: name}); err != nil {
		return nil, err
	}
	return f.under.ReadDir(name)
}

// List implements FS. To a hook it is a ReadDir.
func (f *Faulty) List(name string) ([]string, error) {
	if err := f.before(Op{Kind: OpReadDir, Name: name}); err != nil {
		return nil, err
	}
	return f.under.List(name)
}

// Stat implements FS.
func (f *Faulty) Stat(name string) (Entry, error) {
	if err := f.before(Op{Kind: OpStat, Name: name}); err != nil {
		return Entry{}, err
	}
	return f.under.Stat(name)
}

// SyncDir implements FS.
func (f *Faulty) SyncDir(name string) error {
	if err := f.before(Op{Kind: OpSyncDir, Name: name}); err != nil {
		return err
	}
	return f.under.SyncDir(name)
}

// Whole implements FS.
func (f *Faulty) Whole(name string) (Whole, error) {
	under, err := f.under.Whole(name)
	if err != nil {
		return nil, err
	}
	return &faultyWhole{under, f, name}, nil
}

type faultyWhole struct {
	Whole
	f    *Faulty
	name string
}

// Sync implements Whole.
func (w *faultyWhole) Sync() error {
	if err := w.f.before(Op{Kind: OpSyncWhole, Name: w.name}); err != nil {
		return err
	}
	return w.Whole.Sync()
}

// Lock implements FS.
func (f *Faulty) Lock(name string) (io.Closer, error) {
	if err := f.before(Op{Kind: OpLock, Name: name}); err != nil {
		return nil, err
	}
	return f.under.Lock(name)
}

// Identity implements FS.
func (f *Faulty) Identity(name string) (string, error) {
	if err := f.before(Op{Kind: OpStat, Name: name}); err != nil {
		return "", err
	}
	return f.under.Identity(name)
}

// Space implements FS.
func (f *Faulty) Space(name string) (Space, error) {
	if err := f.before(Op{Kind: OpSpace, Name: name}); err != nil {
		return Space{}, err
	}
	return f.under.Space(name)
}

type faultyFile struct {
	under File
	f     *Faulty
	name  string
}

// ReadAt implements io.ReaderAt.
func (f *faultyFile) ReadAt(p []byte, offset int64) (int, error) {
	if err := f.f.before(Op{Kind: OpRead, Name: f.name, Offset: offset, Length: int64(len(p))}); err != nil {
		return 0, err
	}
	return f.under.ReadAt(p, offset)
}

// WriteAt implements File.
func (f *faultyFile) WriteAt(p []byte, offset int64) (int, error) {
	err := f.f.before(Op{Kind: OpWrite, Name: f.name, Offset: offset, Length: int64(len(p))})
	if err == nil {
		return f.under.WriteAt(p, offset)
	}
	var short *ShortWrite
	if !errors.As(err, &short) {
		return 0, err
	}
	n, underErr := f.under.WriteAt(p[:min(short.Written, len(p))], offset)
	return n, errors.Join(err, underErr)
}

// Truncate implements File.
func (f *faultyFile) Truncate(size int64) error {
	if err := f.f.before(Op{Kind: OpTruncate, Name: f.name, Offset: size}); err != nil {
		return err
	}
	return f.under.Truncate(size)
}

// Preallocate implements File.
func (f *faultyFile) Preallocate(offset, length int64) error {
	if err := f.f.before(Op{Kind: OpPreallocate, Name: f.name, Offset: offset, Length: length}); err != nil {
		return err
	}
	return f.under.Preallocate(offset, length)
}

// Sync implements File.
func (f *faultyFile) Sync() error {
	if err := f.f.before(Op{Kind: OpSync, Name: f.name}); err != nil {
		return err
	}
	return f.under.Sync()
}

// Size implements File.
func (f *faultyFile) Size() (int64, error) { return f.under.Size() }

// Close implements File.
func (f *faultyFile) Close() error {
	if err := f.f.before(Op{Kind: OpClose, Name: f.name}); err != nil {
		return errors.Join(err, f.under.Close())
	}
	return f.under.Close()
}
