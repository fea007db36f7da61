package vfs

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"
	"time"
)

// Mem is a file system in memory. Made by NewCrash, it also remembers what has been synced; see CrashClone.
type Mem struct {
	mu    sync.Mutex // guards everything below, the nodes too
	root  *node
	locks map[string]bool
	track bool
	now   time.Time
}

// node is a file or a folder. Names come and go, open files keep the node.
type node struct {
	dir      bool
	modTime  time.Time
	content  []byte
	children map[string]*node

	// What survives a crash for sure, and what may. Unused without tracking.
	synced         []byte
	pending        []fileOp
	syncedChildren map[string]*node
	pendingNames   []nameOp
}

// NewMem returns an empty file system.
func NewMem() *Mem {
	return &Mem{root: newDir(), locks: map[string]bool{}}
}

func newDir() *node { return &node{dir: true, children: map[string]*node{}} }

// SetTime sets the modification time of what is written from now on.
func (m *Mem) SetTime(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = now
}

func pathError(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// split returns the folder that a name is in and the last element of the name.
func (m *Mem) split(op, name string) (*node, string, error) {
	clean := path.Clean("/" + name)
	if clean == "/" {
		return nil, "", pathError(op, name, fs.ErrInvalid)
	}
	dir, err := m.lookup(op, path.Dir(clean))
	if err != nil {
		return nil, "", err
	}
	if !dir.dir {
		return nil, "", pathError(op, name, fs.ErrNotExist)
	}
	return dir, path.Base(clean), nil
}

func (m *Mem) lookup(op, name string) (*node, error) {
	clean := path.Clean("/" + name)
	if clean == "/" {
		return m.root, nil
	}
	dir, base, err := m.split(op, clean)
	if err != nil {
		return nil, err
	}
	n := dir.children[base]
	if n == nil {
		return nil, pathError(op, name, fs.ErrNotExist)
	}
	return n, nil
}

func (m *Mem) open(op, name string, write bool) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.lookup(op, name)
	if err != nil {
		return nil, err
	}
	if n.dir {
		return nil, pathError(op, name, fs.ErrInvalid)
	}
	return &memFile{m: m, n: n, name: name, write: write}, nil
}

// Open implements FS.
func (m *Mem) Open(name string) (File, error) { return m.open("open", name, false) }

// OpenWrite implements FS.
func (m *Mem) OpenWrite(name string) (File, error) { return m.open("open", name, true) }

// Create implements FS.
func (m *Mem) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.split("create", name)
	if err != nil {
		return nil, err
	}
	n := dir.children[base]
	switch {
	case n == nil:
		n = &node{modTime: m.now}
		m.setNames(dir, nameOp{{base, n}})
	case n.dir:
		return nil, pathError("create", name, fs.ErrInvalid)
	default:
		m.change(n, fileOp{truncate: true})
	}
	return &memFile{m: m, n: n, name: name, write: true}, nil
}

// Remove implements FS.
func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.split("remove", name)
	if err != nil {
		return err
	}
	n := dir.children[base]
	if n == nil {
		return pathError("remove", name, fs.ErrNotExist)
	}
	if len(n.children) > 0 {
		return pathError("remove", name, fmt.Errorf("folder is not empty"))
	}
	m.setNames(dir, nameOp{{base, nil}})
	return nil
}

// Rename implements FS.
func (m *Mem) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, oldBase, err := m.split("rename", from)
	if err != nil {
		return err
	}
	target, newBase, err := m.split("rename", to)
	if err != nil {
		return err
	}
	n := dir.children[oldBase]
	switch replaced := target.children[newBase]; {
	case n == nil:
		return pathError("rename", from, fs.ErrNotExist)
	case dir != target:
		return pathError("rename", to, fs.ErrInvalid)
	case replaced == n:
		return nil
	case replaced != nil && (replaced.dir != n.dir || len(replaced.children) > 0):
		return pathError("rename", to, fs.ErrExist)
	}
	m.setNames(dir, nameOp{{oldBase, nil}, {newBase, n}})
	return nil
}

// Mkdir implements FS.
func (m *Mem) Mkdir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.split("mkdir", name)
	if err != nil {
		return err
	}
	if dir.children[base] != nil {
		return pathError("mkdir", name, fs.ErrExist)
	}
	n := newDir()
	n.modTime = m.now
	m.setNames(dir, nameOp{{base, n}})
	return nil
}

// ReadDir implements FS.
func (m *Mem) ReadDir(name string) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.lookup("readdir", name)
	if err != nil {
		return nil, err
	}
	if !n.dir {
		return nil, pathError("readdir", name, fs.ErrInvalid)
	}
	entries := make([]Entry, 0, len(n.children))
	for _, base := range slices.Sorted(maps.Keys(n.children)) {
		entries = append(entries, n.children[base].entry(base))
	}
	return entries, nil
}

// List implements FS.
func (m *Mem) List(name string) ([]string, error) {
	entries, err := m.ReadDir(name)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name
	}
	return names, err
}

// Stat implements FS.
func (m *Mem) Stat(name string) (Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.lookup("stat", name)
	if err != nil {
		return Entry{}, err
	}
	return n.entry(path.Base(path.Clean("/" + name))), nil
}

func (n *node) entry(base string) Entry {
	return Entry{Name: base, Size: int64(len(n.content)), Dir: n.dir, ModTime: n.modTime}
}

// SyncDir implements FS.
func (m *Mem) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.lookup("syncdir", name)
	if err != nil {
		return err
	}
	if m.track {
		n.syncNames()
	}
	return nil
}

// Whole implements FS.
func (m *Mem) Whole(name string) (Whole, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.lookup("open", name)
	return memWhole{m}, err
}

type memWhole struct{ m *Mem }

// Sync implements Whole.
func (w memWhole) Sync() error {
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	if w.m.track {
		w.m.root.syncAll()
	}
	return nil
}

// Close implements Whole.
func (memWhole) Close() error { return nil }

func (n *node) syncAll() {
	if !n.dir {
		n.sync()
		return
	}
	n.syncNames()
	for _, child := range n.children {
		child.syncAll()
	}
}

func (n *node) syncNames() { n.syncedChildren, n.pendingNames = maps.Clone(n.children), nil }

func (n *node) sync() {
	for _, op := range n.pending {
		n.synced = op.apply(n.synced)
	}
	n.pending = nil
}

// Lock implements FS.
func (m *Mem) Lock(name string) (io.Closer, error) {
	if ok, err := Exists(m, name); err != nil {
		return nil, err
	} else if !ok {
		if _, err := m.Create(name); err != nil {
			return nil, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	key := path.Clean("/" + name)
	if m.locks[key] {
		return nil, pathError("lock", name, ErrLocked)
	}
	m.locks[key] = true
	return &memLock{m: m, key: key}, nil
}

type memLock struct {
	m   *Mem
	key string
}

func (l *memLock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	delete(l.m.locks, l.key)
	return nil
}

// Space implements FS: there is always a tebibyte.
func (m *Mem) Space(name string) (Space, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.lookup("space", name)
	return Space{Free: 1 << 40, Total: 1 << 40}, err
}

// Identity implements FS. A clone has its original's.
func (m *Mem) Identity(name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.lookup("identity", name)
	return path.Clean("/" + name), err
}

// memFile is an open file. Whether it was closed is for the race detector and the caller's tests to find.
type memFile struct {
	m      *Mem
	n      *node
	name   string
	write  bool
	closed bool
}

func (f *memFile) check(op string, write bool) error {
	switch {
	case f.closed:
		return pathError(op, f.name, fs.ErrClosed)
	case write && !f.write:
		return pathError(op, f.name, fs.ErrPermission)
	}
	return nil
}

// ReadAt implements io.ReaderAt.
func (f *memFile) ReadAt(p []byte, offset int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("read", false); err != nil {
		return 0, err
	}
	if offset < 0 {
		return 0, pathError("read", f.name, fs.ErrInvalid)
	}
	if offset >= int64(len(f.n.content)) {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := copy(p, f.n.content[offset:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements File.
func (f *memFile) WriteAt(p []byte, offset int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("write", true); err != nil {
		return 0, err
	}
	if offset < 0 {
		return 0, pathError("write", f.name, fs.ErrInvalid)
	}
	f.m.change(f.n, fileOp{offset: offset, bytes: p})
	return len(p), nil
}

// Truncate implements File.
func (f *memFile) Truncate(size int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("truncate", true); err != nil {
		return err
	}
	if size < 0 {
		return pathError("truncate", f.name, fs.ErrInvalid)
	}
	f.m.change(f.n, fileOp{offset: size, truncate: true})
	return nil
}

// Preallocate implements File.
func (f *memFile) Preallocate(int64, int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return f.check("preallocate", true)
}

// Sync implements File.
func (f *memFile) Sync() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("sync", false); err != nil {
		return fmt.Errorf("%w: %w", ErrSyncFailed, err)
	}
	f.n.sync()
	return nil
}

// Size implements File.
func (f *memFile) Size() (int64, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return int64(len(f.n.content)), f.check("size", false)
}

// Close implements File.
func (f *memFile) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	err := f.check("close", false)
	f.closed = true
	return err
}
