package quorum

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/vfs"
)

const firstSegment = "00000000000000000000.log"

// A node ran and was stopped, without a mark of a clean shutdown as far as the quorum is told. What was synced of its log is either there or the
// node does not start; what was not synced may be torn, and is cut off.
func TestDamageIsNoTornTail(t *testing.T) {
	fs := vfs.NewMem()
	cfg := testConfig(fs, "/data")
	n := run(t, cfg)
	n.join()
	for i := range 20 {
		n.create(fmt.Sprintf("t-%d", i))
	}
	n.close()
	name := path.Join(cfg.Dir, firstSegment)
	log, err := vfs.ReadFile(fs, name)
	if err != nil {
		t.Fatal(err)
	}
	for _, clean := range []bool{false, true} {
		cfg.Clean = clean
		for at := 0; at < len(log); at += max(1, len(log)/200) {
			t.Run(fmt.Sprintf("clean %v, bit of byte %d", clean, at), func(t *testing.T) {
				disk := copyOf(t, fs, cfg.Dir)
				bad := append([]byte(nil), log...)
				bad[at] ^= 4
				expectDamage(t, disk, cfg, bad)
			})
		}
	}
	cfg.Clean = false
	for _, size := range []int{0, 1, len(log) / 2, len(log) - 1} {
		t.Run(fmt.Sprintf("%d bytes are left", size), func(t *testing.T) {
			expectDamage(t, copyOf(t, fs, cfg.Dir), cfg, log[:size])
		})
	}
	t.Run("no log", func(t *testing.T) {
		disk := copyOf(t, fs, cfg.Dir)
		if err := disk.Remove(name); err != nil {
			t.Fatal(err)
		}
		expectDamage(t, disk, cfg, nil)
	})
	t.Run("torn tail", func(t *testing.T) {
		disk := copyOf(t, fs, cfg.Dir)
		if err := vfs.WriteFile(disk, name, append(append([]byte(nil), log...), log[:100]...)); err != nil {
			t.Fatal(err)
		}
		torn := cfg
		torn.FS = disk
		e, err := Open(torn)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := dump(e.Image()), dump(n.Image()); got != want {
			t.Fatalf("with a torn tail:\n%s\nwant\n%s", got, want)
		}
		if size := e.log.Size(); size != int64(len(log)) {
			t.Fatalf("%d bytes, want %d", size, len(log))
		}
	})
}

// expectDamage opens an engine whose first segment is log, unless that is nil, and expects it to refuse, twice.
func expectDamage(t *testing.T, disk vfs.FS, cfg Config, log []byte) {
	t.Helper()
	if log != nil {
		if err := vfs.WriteFile(disk, path.Join(cfg.Dir, firstSegment), log); err != nil {
			t.Fatal(err)
		}
	}
	cfg.FS = disk
	for range 2 {
		e, err := Open(cfg)
		if !errors.Is(err, ErrDamaged) {
			if err == nil {
				t.Fatalf("it opens, with %d topics", e.Image().Topics.Len())
			}
			t.Fatalf("refused with %v", err)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Fatalf("the error has several lines:\n%v", err)
		}
	}
}

// copyOf returns a disk of its own with the files of a folder.
func copyOf(t *testing.T, from vfs.FS, dir string) vfs.FS {
	t.Helper()
	to := vfs.NewMem()
	names, err := from.List(dir)
	if err == nil {
		err = vfs.MkdirAll(to, dir)
	}
	for _, name := range names {
		var b []byte
		if err == nil {
			b, err = vfs.ReadFile(from, path.Join(dir, name))
		}
		if err == nil {
			err = vfs.WriteFile(to, path.Join(dir, name), b)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}
