package node_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
)

// refusal opens a node and returns why it does not start, which is one line.
func refusal(t *testing.T, o testkit.Options) string {
	t.Helper()
	n, err := testkit.Open(t, o)
	if err == nil {
		t.Fatal("the node starts")
	}
	if n != nil {
		t.Fatalf("the node is refused by Start only: %v", err)
	}
	text := err.Error()
	if strings.Contains(text, "\n") {
		t.Errorf("the error has several lines:\n%s", text)
	}
	return text
}

// formatted is a disk with the directories of a node that ran.
func formatted(t *testing.T, dirs ...string) vfs.FS {
	t.Helper()
	n := testkit.Start(t, testkit.Options{Dirs: dirs})
	n.Stop()
	return n.FS
}

// What keeps a node from starting is said in one line: what it is, where, and what to do.
func TestRefusesToStart(t *testing.T) {
	f := func(name string, o testkit.Options, want ...string) {
		t.Helper()
		text := refusal(t, o)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q does not say %q", name, text, w)
			}
		}
	}
	edit := func(disk vfs.FS, file, old, new string) vfs.FS {
		t.Helper()
		text, err := vfs.ReadFile(disk, file)
		if err == nil {
			err = vfs.WriteFile(disk, file, []byte(strings.ReplaceAll(string(text), old, new)))
		}
		if err != nil {
			t.Fatal(err)
		}
		return disk
	}

	f("no directory", testkit.Options{}, "/data does not exist", "ottla storage format")

	empty := vfs.NewMem()
	if err := empty.Mkdir("/data"); err != nil {
		t.Fatal(err)
	}
	f("not formatted", testkit.Options{FS: empty}, "meta.properties", "/data", "ottla storage format")

	f("foreign node", testkit.Options{FS: edit(formatted(t), "/data/meta.properties", "node.id=1", "node.id=7")},
		"/data/meta.properties", "node 7", "node.id")

	two := formatted(t, "/one", "/two")
	text, err := vfs.ReadFile(two, "/two/meta.properties")
	if err != nil {
		t.Fatal(err)
	}
	cluster := strings.Fields(string(text)[strings.Index(string(text), "cluster.id="):])[0]
	f("two clusters", testkit.Options{Dirs: []string{"/one", "/two"}, FS: edit(two, "/two/meta.properties", cluster, "cluster.id=other")},
		"cluster other", "/one", "/two", "log.dirs")

	f("one not formatted", testkit.Options{Dirs: []string{"/one", "/two"}, FS: formatted(t, "/one")}, "/two", "ottla storage format")

	f("damaged identity", testkit.Options{FS: edit(formatted(t), "/data/meta.properties", "version=1", "version=x")},
		"/data/meta.properties", "restore")

	locked := formatted(t)
	lock, err := locked.Lock("/data/.lock")
	if err != nil {
		t.Fatal(err)
	}
	f("locked", testkit.Options{FS: locked}, "/data", "in use by another process")
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}

	full := vfs.NewFaulty(formatted(t), func(op vfs.Op) error {
		if op.Kind == vfs.OpWrite {
			return vfs.ErrNoSpace
		}
		return nil
	})
	f("full disk", testkit.Options{FS: full}, "full", "/data", "free some space")

	f("port in use", testkit.Options{FS: formatted(t), Listen: func(string) error { return syscall.EADDRINUSE }},
		"can't listen on 127.0.0.1:", "PLAINTEXT", "address already in use", "listeners")
}

// A node that was refused has let go of everything: the next one starts on the same disk.
func TestRefusalLetsGo(t *testing.T) {
	disk := formatted(t)
	for nth := range 4 { // two listeners, each looked at before the directories are touched and opened after
		calls := 0
		refusal(t, testkit.Options{FS: disk, Listen: func(string) error {
			if calls++; calls == nth+1 {
				return syscall.EADDRINUSE
			}
			return nil
		}})
	}
	n := testkit.Start(t, testkit.Options{FS: disk})
	n.Dial().Create("a", 1)
}
