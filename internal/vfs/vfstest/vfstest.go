// Package vfstest is the conformance suite of package vfs: every implementation passes it.
//
// Test-only.
package vfstest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/vfs"
)

// Run tests the file system that open returns, in the empty folder that open names. It is called once for each subtest.
func Run(t *testing.T, open func(t *testing.T) (f vfs.FS, dir string)) {
	cases := []struct {
		name string
		test func(t *testing.T, f vfs.FS, dir string)
	}{
		{"files", testFiles},
		{"missing names", testMissing},
		{"rename", testRename},
		{"folders", testFolders},
		{"open files outlive their names", testUnlinked},
		{"lock", testLock},
		{"read-only files", testReadOnly},
		{"write file", testWriteFile},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f, dir := open(t)
			c.test(t, f, dir)
		})
	}
}

// Contents are the files of a folder, by name, as one string.
func Contents(t *testing.T, f vfs.FS, dir string) string {
	t.Helper()
	entries, err := f.ReadDir(dir)
	must(t, err)
	var all strings.Builder
	for _, e := range entries {
		b, err := vfs.ReadFile(f, dir+"/"+e.Name)
		must(t, err)
		all.WriteString(e.Name + "\x00" + string(b) + "\x00")
	}
	return all.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, f vfs.FS, name, content string) {
	t.Helper()
	file, err := f.Create(name)
	must(t, err)
	_, err = file.WriteAt([]byte(content), 0)
	must(t, err)
	must(t, file.Close())
}

func want(t *testing.T, f vfs.FS, name, content string) {
	t.Helper()
	got, err := vfs.ReadFile(f, name)
	must(t, err)
	if string(got) != content {
		t.Fatalf("%s holds %q, want %q", name, got, content)
	}
}

func wantError(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("got error %v, want %v", err, target)
	}
}

func testFiles(t *testing.T, f vfs.FS, dir string) {
	name := path.Join(dir, "a")
	file, err := f.Create(name)
	must(t, err)
	_, err = file.WriteAt([]byte("hello"), 3)
	must(t, err)
	must(t, file.Preallocate(0, 1<<16))
	size, err := file.Size()
	must(t, err)
	if size != 8 {
		t.Fatalf("size %d after a write of 5 at 3", size)
	}
	p := make([]byte, 10)
	n, err := file.ReadAt(p, 0)
	if n != 8 || err != io.EOF || !bytes.Equal(p[:n], []byte("\x00\x00\x00hello")) {
		t.Fatalf("read %d %q %v", n, p[:n], err)
	}
	if n, err := file.ReadAt(p[:5], 3); n != 5 || err != nil && err != io.EOF {
		t.Fatalf("read %d %v", n, err)
	}
	if n, err := file.ReadAt(p, 8); n != 0 || err != io.EOF {
		t.Fatalf("read at the end: %d %v", n, err)
	}
	must(t, file.Truncate(5))
	must(t, file.Truncate(7))
	must(t, file.Sync())
	must(t, file.Close())
	want(t, f, name, "\x00\x00\x00he\x00\x00")
	entry, err := f.Stat(name)
	must(t, err)
	if entry.Name != "a" || entry.Size != 7 || entry.Dir {
		t.Fatalf("stat %+v", entry)
	}
	write(t, f, name, "new")
	want(t, f, name, "new")
	must(t, vfs.WriteFileUnsynced(f, name, []byte("newer")))
	want(t, f, name, "newer")
	whole, err := f.Whole(dir)
	if !errors.Is(err, errors.ErrUnsupported) {
		must(t, err)
		must(t, whole.Sync())
		must(t, whole.Close())
	}
	space, err := f.Space(dir)
	must(t, err)
	if space.Free <= 0 || space.Total < space.Free {
		t.Fatalf("space %+v", space)
	}
}

func testMissing(t *testing.T, f vfs.FS, dir string) {
	name := path.Join(dir, "a")
	_, err := f.Open(name)
	wantError(t, err, fs.ErrNotExist)
	_, err = f.OpenWrite(name)
	wantError(t, err, fs.ErrNotExist)
	_, err = f.Stat(name)
	wantError(t, err, fs.ErrNotExist)
	_, err = f.ReadDir(name)
	wantError(t, err, fs.ErrNotExist)
	_, err = f.Create(path.Join(name, "b"))
	wantError(t, err, fs.ErrNotExist)
	wantError(t, f.Remove(name), fs.ErrNotExist)
	wantError(t, f.Rename(name, path.Join(dir, "b")), fs.ErrNotExist)
	must(t, vfs.RemoveAll(f, name))
	if ok, err := vfs.Exists(f, name); ok || err != nil {
		t.Fatal(ok, err)
	}
}

func testRename(t *testing.T, f vfs.FS, dir string) {
	a, b := path.Join(dir, "a"), path.Join(dir, "b")
	write(t, f, a, "one")
	write(t, f, b, "two")
	must(t, f.Rename(a, b))
	want(t, f, b, "one")
	if ok, _ := vfs.Exists(f, a); ok {
		t.Fatal("the old name is still there")
	}
	must(t, f.SyncDir(dir))
	must(t, f.Mkdir(a))
	write(t, f, path.Join(a, "x"), "deep")
	must(t, f.Rename(a, path.Join(dir, "c")))
	want(t, f, path.Join(dir, "c", "x"), "deep")
}

func testFolders(t *testing.T, f vfs.FS, dir string) {
	must(t, vfs.MkdirAll(f, path.Join(dir, "p/q")))
	must(t, vfs.MkdirAll(f, path.Join(dir, "p/q")))
	wantError(t, f.Mkdir(path.Join(dir, "p")), fs.ErrExist)
	for _, name := range []string{"b", "a", "c"} {
		write(t, f, path.Join(dir, "p", name), name+name)
	}
	entries, err := f.ReadDir(path.Join(dir, "p"))
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
		if e.Dir != (e.Name == "q") || !e.Dir && e.Size != 2 {
			t.Fatalf("%+v", e)
		}
	}
	if got := strings.Join(names, " "); got != "a b c q" {
		t.Fatalf("folder holds %s", got)
	}
	listed, err := f.List(path.Join(dir, "p"))
	must(t, err)
	if !slices.Equal(listed, names) {
		t.Fatalf("listed %v", listed)
	}
	if f.Remove(path.Join(dir, "p")) == nil {
		t.Fatal("removed a folder that is not empty")
	}
	must(t, vfs.RemoveAll(f, path.Join(dir, "p")))
	entries, err = f.ReadDir(dir)
	must(t, err)
	if len(entries) != 0 {
		t.Fatalf("left %v", entries)
	}
}

func testUnlinked(t *testing.T, f vfs.FS, dir string) {
	name := path.Join(dir, "a")
	write(t, f, name, "kept")
	file, err := f.OpenWrite(name)
	must(t, err)
	must(t, f.Rename(name, name+".deleted"))
	must(t, f.Remove(name+".deleted"))
	p := make([]byte, 4)
	if n, err := file.ReadAt(p, 0); n != 4 || err != nil && err != io.EOF || string(p) != "kept" {
		t.Fatalf("read %d %q %v", n, p, err)
	}
	_, err = file.WriteAt(p, 4)
	must(t, err)
	must(t, file.Close())
}

func testLock(t *testing.T, f vfs.FS, dir string) {
	name := path.Join(dir, ".lock")
	lock, err := f.Lock(name)
	must(t, err)
	_, err = f.Lock(name)
	wantError(t, err, vfs.ErrLocked)
	must(t, lock.Close())
	lock, err = f.Lock(name)
	must(t, err)
	must(t, lock.Close())
}

func testReadOnly(t *testing.T, f vfs.FS, dir string) {
	name := path.Join(dir, "a")
	write(t, f, name, "x")
	file, err := f.Open(name)
	must(t, err)
	if _, err := file.WriteAt([]byte("y"), 0); err == nil {
		t.Fatal("wrote to a file opened for reading")
	}
	must(t, file.Close())
	if file.Close() == nil {
		t.Fatal("closed twice")
	}
}

func testWriteFile(t *testing.T, f vfs.FS, dir string) {
	name := path.Join(dir, "a")
	must(t, vfs.WriteFile(f, name, []byte("one")))
	must(t, vfs.WriteFile(f, name, []byte("two")))
	want(t, f, name, "two")
	if ok, _ := vfs.Exists(f, name+".tmp"); ok {
		t.Fatal("left the temporary file")
	}
}
