package segment

import (
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// counted notes what is reserved and cut of the data files made through it.
type counted struct {
	vfs.FS
	reserved, cut []int64
}

type countedFile struct {
	vfs.File
	of *counted
}

func (c *counted) Create(name string) (vfs.File, error) {
	f, err := c.FS.Create(name)
	return &countedFile{f, c}, err
}

func (f *countedFile) Preallocate(offset, length int64) error {
	f.of.reserved = append(f.of.reserved, offset, length)
	return f.File.Preallocate(offset, length)
}

func (f *countedFile) Truncate(size int64) error {
	f.of.cut = append(f.of.cut, size)
	return f.File.Truncate(size)
}

func TestBlocksAreReservedAheadAndGivenBack(t *testing.T) {
	disk := &counted{FS: vfs.NewMem()}
	if err := disk.Mkdir("log"); err != nil {
		t.Fatal(err)
	}
	now := time.UnixMilli(1_000_000)
	s, err := Create(&Dir{FS: disk, Path: "log", Cache: NewCache(10, 1<<20)}, 0, now)
	if err != nil {
		t.Fatal(err)
	}
	b := record.Batch(batch(t, 0, 1, 400<<10, 1_000_000))
	for i := range 60 {
		b.SetBaseOffset(kafka.Offset(i))
		if err := s.Append(b, 4096, now); err != nil {
			t.Fatal(err)
		}
	}
	if len(disk.reserved) == 0 || len(disk.reserved) > 12 {
		t.Fatalf("reserved %v for %d bytes: want a few steps", disk.reserved, s.Size())
	}
	if first := disk.reserved[0]; first < reserveFrom {
		t.Errorf("reserved behind %d bytes already", first)
	}
	end := int64(0)
	for i := 0; i < len(disk.reserved); i += 2 {
		from, length := disk.reserved[i], disk.reserved[i+1]
		if end > 0 && from != end || length > reserveStep {
			t.Errorf("reserved %d from %d, after %d", length, from, end)
		}
		end = from + length
	}
	if err := s.SyncData(); err != nil {
		t.Fatal(err)
	}
	if len(disk.cut) != 0 {
		t.Error("an active segment gives back what it will need")
	}
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	if err := s.SyncData(); err != nil {
		t.Fatal(err)
	}
	if len(disk.cut) != 1 || disk.cut[0] != s.Size() {
		t.Errorf("cut to %v, want %d", disk.cut, s.Size())
	}
}
