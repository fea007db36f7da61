package quorum

import (
	"errors"
	"io/fs"
	"path"
	"testing"

	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// What a folder leads to is the same for a node that opens it and for one who only reads it, and so is the snapshot made of it.
func TestOffline(t *testing.T) {
	files, cfg, n := grown(t)
	want := dump(n.Image())
	image, err := metalog.Load(files, cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := dump(image); got != want {
		t.Fatalf("read:\n%s\nwant\n%s", got, want)
	}

	backup := testConfig(files, "/backup")
	if err := vfs.MkdirAll(files, backup.Dir); err != nil {
		t.Fatal(err)
	}
	name, err := metalog.Export(files, cfg.Dir, backup.Dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := (SnapshotID{EndOffset: n.Image().End(), Epoch: n.Image().Epoch}); name != want.String() {
		t.Fatalf("exported as %s, the image ends at %d", name, n.Image().End())
	}
	e, err := Open(backup)
	if err != nil {
		t.Fatal(err)
	}
	if got := dump(e.Image()); got != want {
		t.Fatalf("opened from the export:\n%s\nwant\n%s", got, want)
	}
}

func TestOfflineRefuses(t *testing.T) {
	files, cfg, _ := grown(t)
	if _, err := metalog.Load(files, "/nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if err := files.Mkdir("/empty"); err != nil {
		t.Fatal(err)
	}
	if _, err := metalog.Export(files, "/empty", "/empty", 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder with nothing: %v", err)
	}
	ids, err := metalog.ListSnapshots(files, cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if err := files.Remove(path.Join(cfg.Dir, id.String())); err != nil {
			t.Fatal(err)
		}
	}
	first := path.Join(cfg.Dir, "00000000000000000000.log")
	content, err := vfs.ReadFile(files, first)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, err := record.Next(content)
	if err == nil {
		err = vfs.WriteFile(files, first, rest)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := metalog.Load(files, cfg.Dir); !errors.Is(err, ErrDamaged) {
		t.Errorf("a log that does not begin with everything: %v", err)
	}
}
