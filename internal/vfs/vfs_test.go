package vfs_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"syscall"
	"testing"

	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/vfs/vfstest"
)

func TestOS(t *testing.T) {
	vfstest.Run(t, func(t *testing.T) (vfs.FS, string) { return vfs.OS{}, t.TempDir() })
}

func TestMem(t *testing.T) {
	vfstest.Run(t, func(t *testing.T) (vfs.FS, string) { return vfs.NewMem(), "/" })
}

func TestCrash(t *testing.T) {
	vfstest.Run(t, func(t *testing.T) (vfs.FS, string) {
		m := vfs.NewCrash()
		check(t, vfs.MkdirAll(m, "/some/where"))
		return m, "/some/where"
	})
}

func TestFaultyPassesThrough(t *testing.T) {
	vfstest.Run(t, func(t *testing.T) (vfs.FS, string) { return vfs.NewFaulty(vfs.OS{}, nil), t.TempDir() })
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDescriptorIsTheFile(t *testing.T) {
	f, err := vfs.OS{}.Create(path.Join(t.TempDir(), "a"))
	check(t, err)
	defer f.Close()
	_, err = f.WriteAt([]byte("abc"), 0)
	check(t, err)
	var stat syscall.Stat_t
	check(t, syscall.Fstat(int(f.(vfs.Descriptor).Descriptor()), &stat))
	if stat.Size != 3 {
		t.Fatalf("the descriptor's file has %d bytes", stat.Size)
	}
}

// describe lists the files of a file system with their contents.
func describe(t *testing.T, f vfs.FS, dir string) string {
	t.Helper()
	entries, err := f.ReadDir(dir)
	check(t, err)
	var b strings.Builder
	for _, e := range entries {
		name := path.Join(dir, e.Name)
		if e.Dir {
			b.WriteString(describe(t, f, name))
			continue
		}
		content, err := vfs.ReadFile(f, name)
		check(t, err)
		fmt.Fprintf(&b, "%s=%s ", name, strings.ReplaceAll(string(content), "\x00", "0"))
	}
	return b.String()
}

func TestCrashCloneKeepsWhatWasSynced(t *testing.T) {
	m := vfs.NewCrash()
	rng := rand.New(rand.NewPCG(1, 1))
	expect := func(none, all string) {
		t.Helper()
		if got := describe(t, m.CrashClone(rng, 0), "/"); got != none {
			t.Fatalf("keeping nothing: %q, want %q", got, none)
		}
		if got := describe(t, m.CrashClone(rng, 100), "/"); got != all {
			t.Fatalf("keeping all: %q, want %q", got, all)
		}
	}
	f, err := m.Create("/a")
	check(t, err)
	_, err = f.WriteAt([]byte("one"), 0)
	check(t, err)
	expect("", "/a=one ")
	check(t, f.Sync())
	expect("", "/a=one ") // the name is not durable
	check(t, m.SyncDir("/"))
	expect("/a=one ", "/a=one ")
	_, err = f.WriteAt([]byte("two"), 3)
	check(t, err)
	check(t, f.Truncate(5))
	expect("/a=one ", "/a=onetw ")
	check(t, m.Rename("/a", "/b"))
	expect("/a=one ", "/b=onetw ")
	check(t, m.SyncDir("/"))
	expect("/b=one ", "/b=onetw ")
	check(t, f.Sync())
	check(t, m.Remove("/b"))
	expect("/b=onetw ", "")
}

func TestCrashCloneLosesSectors(t *testing.T) {
	m := vfs.NewCrash()
	f, err := m.Create("/a")
	check(t, err)
	check(t, m.SyncDir("/"))
	_, err = f.WriteAt([]byte(strings.Repeat("x", 3000)), 100)
	check(t, err)
	rng := rand.New(rand.NewPCG(2, 2))
	holes, sizes := 0, map[int]bool{}
	for range 100 {
		content, err := vfs.ReadFile(m.CrashClone(rng, 50), "/a")
		check(t, err)
		sizes[len(content)] = true
		if len(content) > 100 && strings.Contains(string(content[100:]), "\x00") {
			holes++
		}
		for i, c := range content {
			if c != 'x' && c != 0 || c == 'x' && i < 100 {
				t.Fatalf("byte %d is %d", i, c)
			}
		}
	}
	if holes == 0 || len(sizes) < 3 {
		t.Fatalf("%d of 100 clones have holes, %d sizes", holes, len(sizes))
	}
}

func TestFaults(t *testing.T) {
	failure := errors.New("injected")
	f := vfs.NewFaulty(vfs.NewMem(), vfs.FailNth(vfs.OpWrite, "/a", 2, false, &vfs.ShortWrite{Written: 2, Err: failure}))
	a, err := f.Create("/a")
	check(t, err)
	_, err = a.WriteAt([]byte("one"), 0)
	check(t, err)
	if n, err := a.WriteAt([]byte("two"), 3); n != 2 || !errors.Is(err, failure) {
		t.Fatalf("wrote %d, %v", n, err)
	}
	_, err = a.WriteAt([]byte("!"), 5)
	check(t, err)
	if got := describe(t, f, "/"); got != "/a=onetw! " {
		t.Fatal(got)
	}
	f.SetHook(vfs.FailNth(vfs.OpSync, "", 1, true, failure))
	for range 2 {
		if err := a.Sync(); !errors.Is(err, vfs.ErrSyncFailed) || !errors.Is(err, failure) {
			t.Fatal(err)
		}
	}
	f.SetHook(vfs.FailNth(vfs.OpRename, "", 1, false, failure))
	if err := vfs.WriteFile(f, "/c", nil); !errors.Is(err, failure) {
		t.Fatal(err)
	}
}

func TestTrace(t *testing.T) {
	var trace []string
	f := vfs.NewFaulty(vfs.NewMem(), func(o vfs.Op) error {
		trace = append(trace, o.String())
		return nil
	})
	check(t, vfs.MkdirAll(f, "/dir"))
	check(t, vfs.WriteFile(f, "/dir/a", []byte("12345")))
	want := `stat dir
stat /
mkdir dir
syncdir /
create dir/a.tmp
write dir/a.tmp 0+5
sync dir/a.tmp
close dir/a.tmp
rename dir/a.tmp dir/a
syncdir dir`
	if got := strings.Join(trace, "\n"); got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
}

// A folder keeps its identity, and one that takes its place has another.
func TestIdentity(t *testing.T) {
	var f vfs.OS
	dir := t.TempDir()
	identity := func(name string) string {
		t.Helper()
		id, err := f.Identity(name)
		if err != nil || id == "" {
			t.Fatalf("identity of %s: %q, %v", name, id, err)
		}
		return id
	}
	for _, name := range []string{"/a", "/b"} {
		if err := f.Mkdir(dir + name); err != nil {
			t.Fatal(err)
		}
	}
	a, b := identity(dir+"/a"), identity(dir+"/b")
	if err := f.Rename(dir+"/b", dir+"/c"); err != nil {
		t.Fatal(err)
	}
	if a == b || identity(dir+"/a") != a || identity(dir+"/c") != b {
		t.Errorf("%s, %s, then %s", a, b, identity(dir+"/c"))
	}
	if _, err := f.Identity(dir + "/b"); err == nil {
		t.Error("a folder that is gone has an identity")
	}
}
