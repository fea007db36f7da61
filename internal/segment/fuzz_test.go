package segment

import (
	"bytes"
	"hash/crc32"
	"os"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

func crcIEEE(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

// FuzzRecover lets recovery loose on any data file with any indexes: what it keeps is a valid beginning, and recovering that again keeps all of it.
func FuzzRecover(f *testing.F) {
	log, err := os.ReadFile("../commitlog/testdata/kafka/00000000000000000000.log")
	must(f, err)
	index, err := os.ReadFile("../commitlog/testdata/kafka/00000000000000000000.index")
	must(f, err)
	times, err := os.ReadFile("../commitlog/testdata/kafka/00000000000000000000.timeindex")
	must(f, err)
	f.Add(log, index, times, int64(0))
	f.Add(log[:500], index, times, int64(3))
	f.Add(append(bytes.Clone(log[:300]), log...), index[:20], times, int64(20))
	f.Add([]byte{}, []byte{}, []byte{}, int64(0))
	f.Fuzz(func(t *testing.T, log, index, times []byte, from int64) {
		dir := newDir(t)
		must(t, vfs.WriteFile(dir.FS, "/p-0/"+FileName(0, LogSuffix), log))
		must(t, vfs.WriteFile(dir.FS, "/p-0/"+FileName(0, IndexSuffix), index))
		must(t, vfs.WriteFile(dir.FS, "/p-0/"+FileName(0, TimeIndexSuffix), times))
		visit := Visitor{Batch: func(h Header, b []byte) error {
			if int64(len(b)) != h.Size {
				t.Fatalf("%d bytes of %+v", len(b), h)
			}
			return nil
		}}
		s, err := Open(dir, 0, vfs.Entry{Size: int64(len(log))}, kafka.NoOffset)
		must(t, err)
		found, err := s.Recover(kafka.Offset(from), 100, 0, visit)
		must(t, err)
		if found.End > int64(len(log)) || found.Stop == nil && found.End != int64(len(log)) {
			t.Fatalf("%+v of %d bytes", found, len(log))
		}
		must(t, s.Cut())
		if from > 0 {
			return // what lies below is trusted
		}
		again, err := Open(dir, 0, vfs.Entry{Size: found.End}, kafka.NoOffset)
		must(t, err)
		second, err := again.Recover(0, 100, 0, visit)
		must(t, err)
		if second.Stop != nil || second.Next != found.Next || second.End != found.End {
			t.Fatalf("first %+v, then %+v", found, second)
		}
		visit.Batch = func(Header, []byte) error { return nil }
		for _, trusted := range []int64{second.End / 2, second.End} {
			third, err := again.Recover(0, 100, trusted, visit)
			must(t, err)
			if third.Stop != nil || third.Next != found.Next || third.End != found.End || third.Scanned > second.Scanned {
				t.Fatalf("first %+v, with %d bytes trusted %+v", found, trusted, third)
			}
		}
	})
}

// FuzzOpen reads any files as those of a segment that was closed cleanly.
func FuzzOpen(f *testing.F) {
	log, err := os.ReadFile("../commitlog/testdata/kafka/00000000000000000000.log")
	must(f, err)
	index, err := os.ReadFile("../commitlog/testdata/kafka/00000000000000000000.index")
	must(f, err)
	times, err := os.ReadFile("../commitlog/testdata/kafka/00000000000000000000.timeindex")
	must(f, err)
	f.Add(log, index, times, int64(7), int64(1795302215762))
	f.Add(append(log, log...), append(index, make([]byte, 80)...), append(times, make([]byte, 24)...), int64(30), int64(0))
	f.Fuzz(func(t *testing.T, log, index, times []byte, offset, ms int64) {
		dir := newDir(t)
		must(t, vfs.WriteFile(dir.FS, "/p-0/"+FileName(0, LogSuffix), log))
		must(t, vfs.WriteFile(dir.FS, "/p-0/"+FileName(0, IndexSuffix), index))
		must(t, vfs.WriteFile(dir.FS, "/p-0/"+FileName(0, TimeIndexSuffix), times))
		s, err := Open(dir, 0, vfs.Entry{Size: int64(len(log))}, kafka.NoOffset)
		must(t, err)
		if s.LoadEnd() != nil {
			return
		}
		if h, ok, err := s.Locate(kafka.Offset(offset), s.Size()); err == nil && ok {
			_, _ = s.ReadBatch(h)
		}
		_, _, _ = s.LocateTime(ms, kafka.Offset(offset))
	})
}

// FuzzIndexes parses any index files; what is accepted comes out as it went in.
func FuzzIndexes(f *testing.F) {
	f.Add(make([]byte, 24), int64(100))
	f.Add(IndexEntry{5, 50}.AppendTo(nil), int64(100))
	f.Add(TimeEntry{1700000000000, 50}.AppendTo(nil), int64(100))
	f.Add(Aborted{1, 2, 3, 4}.AppendTo(nil), int64(0))
	f.Fuzz(func(t *testing.T, b []byte, size int64) {
		if entries, err := ParseIndex(b, size); err == nil {
			var out []byte
			for _, e := range entries {
				out = e.AppendTo(out)
			}
			if !bytes.HasPrefix(b, out) {
				t.Fatalf("index %x becomes %x", b, out)
			}
		}
		if entries, err := ParseTimeIndex(b); err == nil {
			var out []byte
			for _, e := range entries {
				out = e.AppendTo(out)
			}
			if !bytes.HasPrefix(b, out) {
				t.Fatalf("time index %x becomes %x", b, out)
			}
		}
		if entries, err := ParseTxnIndex(b); err == nil {
			var out []byte
			for _, e := range entries {
				out = e.AppendTo(out)
			}
			if !bytes.Equal(b, out) {
				t.Fatalf("transaction index %x becomes %x", b, out)
			}
		}
	})
}
