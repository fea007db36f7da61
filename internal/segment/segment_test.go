package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

var now = time.UnixMilli(1_700_000_000_000)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newDir(t testing.TB) *Dir {
	t.Helper()
	disk := vfs.NewMem()
	must(t, disk.Mkdir("/p-0"))
	return &Dir{FS: disk, Path: "/p-0", Cache: NewCache(4, 1<<20)}
}

func batch(t testing.TB, base kafka.Offset, records, size int, timestamp int64) []byte {
	t.Helper()
	var b record.Builder
	b.Begin(record.NewOptions(base, 1))
	for range records {
		b.Add(timestamp, nil, bytes.Repeat([]byte{byte(base)}, size))
	}
	out, err := b.AppendTo(nil)
	must(t, err)
	return out
}

// filled returns a segment at base 100 with n batches of one record, and their bytes. The timestamps go 0, 1, 2, 1, 0, 3, 4, 5, 4, 3, 6, …
func filled(t testing.TB, dir *Dir, n, interval int) (*Segment, []byte) {
	t.Helper()
	s, err := Create(dir, 100, now)
	must(t, err)
	var all []byte
	for i := range n {
		ms := int64(i/5*3 + min(i%5, 4-i%5))
		b := batch(t, 100+kafka.Offset(i), 1, i%50, ms)
		must(t, s.Append(b, interval, now))
		all = append(all, b...)
	}
	return s, all
}

// TestEndBefore asks for every position what ends before it, with the index and with one that misleads.
func TestEndBefore(t *testing.T) {
	s, all := filled(t, newDir(t), 100, 200)
	defer s.Close()
	h, err := s.Acquire()
	must(t, err)
	defer h.Release()
	for rest := all; len(rest) > 0; {
		b, after, err := record.Next(rest)
		must(t, err)
		at := int64(len(all) - len(rest))
		for _, position := range []int64{at + 1, at + int64(len(b))} {
			if end, err := h.EndBefore(position); err != nil || end != b.NextOffset() {
				t.Errorf("position %d: %d, %v, want %d", position, end, err, b.NextOffset())
			}
		}
		rest = after
	}
	if _, err := h.EndBefore(int64(len(all)) + 1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("behind the end: %v", err)
	}
	x := newIndex(s)
	x.offsets.add(IndexEntry{Relative: 50, Position: 7})
	s.index.Store(x)
	if _, err := h.EndBefore(100); !errors.Is(err, ErrCorrupt) {
		t.Errorf("with an entry inside of a batch: %v", err)
	}
}

func TestFileNames(t *testing.T) {
	if got := FileName(42, LogSuffix); got != "00000000000000000042.log" {
		t.Fatal(got)
	}
	for name, want := range map[string]kafka.Offset{
		"00000000000000000042.log": 42, "7.log": 7, "09223372036854775807.log": 1<<63 - 1,
		"x.log": -1, ".log": -1, "-5.log": -1, "+5.log": -1, "00000000000000000042.index": -1, "99999999999999999999.log": -1, "00000000000000000042.log.deleted": -1,
	} {
		got, ok := ParseFileName(name, LogSuffix)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%s: %d %v", name, got, ok)
		}
	}
}

func TestEveryOffsetIsFound(t *testing.T) {
	for _, interval := range []int{1, 200, 4096} {
		s, all := filled(t, newDir(t), 300, interval)
		check := func(s *Segment) {
			t.Helper()
			for rest := all; len(rest) > 0; {
				want, after, err := record.Next(rest)
				must(t, err)
				h, ok, err := s.Locate(want.BaseOffset(), s.Size())
				must(t, err)
				if !ok || h.Base != want.BaseOffset() || h.Position != int64(len(all)-len(rest)) || h.Size != int64(len(want)) {
					t.Fatalf("interval %d: %s is found as %+v", interval, want, h)
				}
				rest = after
			}
			if _, ok, err := s.Locate(400, s.Size()); ok || err != nil {
				t.Fatalf("found what is not there: %v", err)
			}
		}
		check(s)
		must(t, s.Seal())
		must(t, s.SaveIndex(true, true))
		s.Close()
		again, err := Open(s.dir, 100, vfs.Entry{Size: int64(len(all))}, 400)
		must(t, err)
		check(again) // with the index from its file
		again.Close()
		must(t, s.dir.FS.Remove(s.name(IndexSuffix)))
		again, err = Open(s.dir, 100, vfs.Entry{Size: int64(len(all))}, 400)
		must(t, err)
		check(again) // with an index made anew
	}
}

func TestTimes(t *testing.T) {
	s, all := filled(t, newDir(t), 300, 200)
	for ms := range int64(190) {
		h, ok, err := s.LocateTime(ms, 100)
		must(t, err)
		want := kafka.NoOffset
		for rest := all; len(rest) > 0; {
			b, after, err := record.Next(rest)
			must(t, err)
			if b.MaxTimestamp() >= ms {
				want = b.BaseOffset()
				break
			}
			rest = after
		}
		if ok != (want >= 0) || ok && h.Base != want {
			t.Fatalf("time %d: %v %+v, want %d", ms, ok, h, want)
		}
	}
	most, err := s.MaxTimestamp()
	must(t, err)
	if most != 179 || s.MaxTimestampBatch() != 100+297 {
		t.Fatalf("greatest %d at %d", most, s.MaxTimestampBatch())
	}
}

func TestLoadEnd(t *testing.T) {
	for n := range 120 {
		s, all := filled(t, newDir(t), n, 200)
		must(t, s.Seal())
		must(t, s.SaveIndex(true, false))
		s.Close()
		again, err := Open(s.dir, 100, vfs.Entry{Size: int64(len(all))}, kafka.NoOffset)
		must(t, err)
		must(t, again.LoadEnd())
		next, size := again.End()
		wantMost, err := s.MaxTimestamp()
		must(t, err)
		most, err := again.MaxTimestamp()
		must(t, err)
		if next != 100+kafka.Offset(n) || size != int64(len(all)) || most != wantMost || n > 0 && again.MaxTimestampBatch() != s.MaxTimestampBatch() {
			t.Fatalf("%d batches: end %d, %d bytes, greatest time %d at %d", n, next, size, most, again.MaxTimestampBatch())
		}
		if again.sinceIndex != s.sinceIndex && n > 0 && all != nil && len(all) > window {
			t.Fatalf("%d batches: %d bytes since the last index entry, had %d", n, again.sinceIndex, s.sinceIndex)
		}
	}
}

func TestRecoverEqualsAppend(t *testing.T) {
	s, all := filled(t, newDir(t), 200, 300)
	must(t, s.Seal())
	must(t, s.SaveIndex(true, true))
	index, err := vfs.ReadFile(s.dir.FS, s.name(IndexSuffix))
	must(t, err)
	times, err := vfs.ReadFile(s.dir.FS, s.name(TimeIndexSuffix))
	must(t, err)
	for from := kafka.Offset(90); from <= 300; from += 7 {
		r, err := Open(s.dir, 100, vfs.Entry{Size: int64(len(all))}, kafka.NoOffset)
		must(t, err)
		visited := 0
		trusted := []int64{0, int64(len(all) / 2), int64(len(all))}[from%3]
		found, err := r.Recover(from, 300, trusted, Visitor{Batch: func(h Header, b []byte) error {
			visited++
			if header := h.Position+h.Size <= trusted; header != (len(b) == record.HeaderSize) {
				t.Fatalf("%d bytes of %+v, %d are trusted", len(b), h, trusted)
			}
			return nil
		}})
		must(t, err)
		if found.Scanned > int64(len(all))-trusted+1000 {
			t.Fatalf("scanned %d bytes of %d, %d are trusted", found.Scanned, len(all), trusted)
		}
		if found.Stop != nil || found.Next != 300 || found.End != int64(len(all)) || visited != 300-int(max(from, 100)) {
			t.Fatalf("from %d: %+v, visited %d", from, found, visited)
		}
		must(t, r.Seal())
		must(t, r.SaveIndex(true, true))
		for name, want := range map[string][]byte{IndexSuffix: index, TimeIndexSuffix: times} {
			got, err := vfs.ReadFile(s.dir.FS, s.name(name))
			must(t, err)
			if !bytes.Equal(got, want) {
				t.Fatalf("from %d: %s is %x, want %x", from, name, got, want)
			}
		}
		r.Close()
	}
}

func TestRecoverDistrustsTheIndex(t *testing.T) {
	s, all := filled(t, newDir(t), 200, 300)
	must(t, s.Seal())
	must(t, s.SaveIndex(true, true))
	good, err := vfs.ReadFile(s.dir.FS, s.name(IndexSuffix))
	must(t, err)
	f := func(what string, spoil func([]byte) []byte) {
		t.Helper()
		file, err := s.dir.FS.Create(s.name(IndexSuffix))
		must(t, err)
		_, err = file.WriteAt(spoil(bytes.Clone(good)), 0)
		must(t, err)
		r, err := Open(s.dir, 100, vfs.Entry{Size: int64(len(all))}, kafka.NoOffset)
		must(t, err)
		found, err := r.Recover(250, 300, 0, Visitor{Batch: func(Header, []byte) error { return nil }})
		must(t, err)
		if found.Stop != nil || found.Next != 300 {
			t.Fatalf("%s: %+v", what, found)
		}
		for i := range kafka.Offset(200) {
			if h, ok, err := r.Locate(100+i, r.Size()); !ok || err != nil || h.Base != 100+i {
				t.Fatalf("%s: offset %d: %+v %v", what, 100+i, h, err)
			}
		}
	}
	f("cut", func(b []byte) []byte { return b[:len(b)/2] })
	f("zeros at the end", func(b []byte) []byte { clear(b[len(b)/2:]); return b })
	f("a hole", func(b []byte) []byte { clear(b[16:32]); return b })
	f("falling", func(b []byte) []byte { binary.BigEndian.PutUint32(b[20:], 1); return b })
	f("positions between batches", func(b []byte) []byte {
		for i := 4; i < len(b); i += 8 {
			b[i+3]++
		}
		return b
	})
	f("positions past the end", func(b []byte) []byte { binary.BigEndian.PutUint32(b[len(b)-4:], 1<<30); return b })
	f("of another segment", func(b []byte) []byte { return b[8:] })
}

// TestRotInTheIndex flips each bit of an index file: every offset is still found, and never one above the one that was asked for.
func TestRotInTheIndex(t *testing.T) {
	s, all := filled(t, newDir(t), 400, 2000)
	if len(all) < 3*window {
		t.Fatalf("%d bytes need no index", len(all))
	}
	must(t, s.Seal())
	must(t, s.SaveIndex(true, true))
	good, err := vfs.ReadFile(s.dir.FS, s.name(IndexSuffix))
	must(t, err)
	for bit := range 8 * len(good) {
		spoilt := bytes.Clone(good)
		spoilt[bit/8] ^= 1 << (bit % 8)
		must(t, vfs.WriteFile(s.dir.FS, s.name(IndexSuffix), spoilt))
		r, err := Open(s.dir, 100, vfs.Entry{Size: int64(len(all))}, 500)
		must(t, err)
		for i := kafka.Offset(0); i < 400; i += 13 {
			if h, ok, err := r.Locate(100+i, r.Size()); !ok || err != nil || h.Base != 100+i {
				t.Fatalf("bit %d: offset %d is %+v, %v", bit, 100+i, h, err)
			}
		}
		r.Close()
	}
}

func TestRecoverStops(t *testing.T) {
	_, all := filled(t, newDir(t), 20, 300)
	f := func(what string, target error, spoil func([]byte) []byte) {
		t.Helper()
		dir := newDir(t)
		b := spoil(bytes.Clone(all))
		must(t, vfs.WriteFile(dir.FS, "/p-0/"+FileName(100, LogSuffix), b))
		s, err := Open(dir, 100, vfs.Entry{Size: int64(len(b))}, kafka.NoOffset)
		must(t, err)
		found, err := s.Recover(0, 300, 0, Visitor{Batch: func(Header, []byte) error { return nil }})
		must(t, err)
		if !errors.Is(found.Stop, target) || found.Next != 110 {
			t.Fatalf("%s: %+v", what, found)
		}
		must(t, s.Cut())
		if left, err := vfs.ReadFile(dir.FS, "/p-0/"+FileName(100, LogSuffix)); err != nil || !bytes.HasPrefix(all, left) || int64(len(left)) != found.End {
			t.Fatalf("%s: %d bytes left, %v", what, len(left), err)
		}
	}
	at := 0
	for range 10 {
		b, _, err := record.Next(all[at:])
		must(t, err)
		at += len(b)
	}
	f("cut in a header", ErrTorn, func(b []byte) []byte { return b[:at+20] })
	f("cut in the records", ErrTorn, func(b []byte) []byte { return b[:at+record.HeaderSize+3] })
	f("zeros", ErrCorrupt, func(b []byte) []byte { clear(b[at:]); return b })
	f("a bit of the records", ErrCorrupt, func(b []byte) []byte { b[at+record.HeaderSize+1] ^= 1; return b })
	f("magic", ErrCorrupt, func(b []byte) []byte { b[at+16] = 3; return b })
	f("an offset that was there", ErrCorrupt, func(b []byte) []byte { binary.BigEndian.PutUint64(b[at:], 109); return b })
	f("an offset that no index can express", ErrCorrupt, func(b []byte) []byte { binary.BigEndian.PutUint64(b[at:], 1<<40); return b })
	f("a size beyond the file", ErrTorn, func(b []byte) []byte { binary.BigEndian.PutUint32(b[at+8:], 1<<30); return b })
	f("a negative size", ErrCorrupt, func(b []byte) []byte { binary.BigEndian.PutUint32(b[at+8:], 1<<31); return b })
}

func TestReadersKeepTheirFile(t *testing.T) {
	s, all := filled(t, newDir(t), 10, 300)
	h, err := s.Acquire()
	must(t, err)
	must(t, s.Remove())
	must(t, s.Unlink())
	b := make([]byte, len(all))
	if _, err := h.ReadAt(b, 0); err != nil || !bytes.Equal(b, all) {
		t.Fatalf("%v", err)
	}
	if _, err := s.Acquire(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	h.Release()
	if _, err := h.ReadAt(b, 0); !errors.Is(err, fs.ErrClosed) {
		t.Fatalf("the file is still open: %v", err)
	}
}

func TestCacheBoundsOpenFiles(t *testing.T) {
	dir := newDir(t)
	var segments []*Segment
	for i := range 50 {
		s, err := Create(dir, kafka.Offset(i*10), now)
		must(t, err)
		must(t, s.Append(batch(t, kafka.Offset(i*10), 1, 10, 0), 100, now))
		segments = append(segments, s)
	}
	if n := dir.Cache.OpenFiles(); n > 4 {
		t.Fatalf("%d files open", n)
	}
	var held []*Handle
	for _, s := range segments {
		h, err := s.Acquire()
		must(t, err)
		held = append(held, h)
	}
	for i, h := range held { // those that the cache gave up are open as long as they are held
		b, err := segments[i].ReadBatch(Header{Size: 61})
		if b != nil && err == nil {
			t.Fatal("half a batch has a good checksum")
		}
		if _, err := h.ReadAt(make([]byte, 10), 0); err != nil {
			t.Fatal(err)
		}
		h.Release()
	}
	if n := dir.Cache.OpenFiles(); n > 4 {
		t.Fatalf("%d files open", n)
	}
}

func TestTxnIndexInOrder(t *testing.T) {
	for _, odd := range [][]Aborted{
		{{}}, // zeros
		{{1, 5, 5, 5}},
		{{1, -1, 5, 5}},
		{{1, 3, 5, 5}, {2, 4, 5, 5}},
		{{1, 3, 5, 5}, {2, 1, 4, 5}},
	} {
		var b []byte
		for _, a := range odd {
			b = a.AppendTo(b)
		}
		if got, err := ParseTxnIndex(b); !errors.Is(err, ErrIndex) {
			t.Errorf("%v: %v %v", odd, got, err)
		}
	}
}

func TestTxnIndex(t *testing.T) {
	s, _ := filled(t, newDir(t), 10, 300)
	want := []Aborted{{1, 100, 104, 100}, {2, 102, 106, 105}, {3, 107, 109, 110}}
	for _, a := range want {
		s.NoteAborted(a)
	}
	f := func(s *Segment, from, end kafka.Offset, wantDone bool, want ...Aborted) {
		t.Helper()
		got, done, err := s.CollectAborted(nil, from, end)
		must(t, err)
		if fmt.Sprint(got) != fmt.Sprint(want) || done != wantDone {
			t.Fatalf("%v %v, want %v %v", got, done, want, wantDone)
		}
	}
	check := func(s *Segment) {
		t.Helper()
		f(s, 100, 120, false, want...)
		f(s, 100, 102, true, want[0])
		f(s, 105, 107, true, want[1])
		f(s, 107, 120, false, want[2])
	}
	check(s)
	must(t, s.SaveIndex(true, true))
	b, err := vfs.ReadFile(s.dir.FS, s.name(TxnIndexSuffix))
	must(t, err)
	if len(b) != 3*AbortedSize {
		t.Fatalf("%d bytes", len(b))
	}
	s.Close()
	again, err := Open(s.dir, 100, vfs.Entry{Size: s.Size()}, 110)
	must(t, err)
	check(again)
	cut, err := again.Truncate(106)
	must(t, err)
	f(cut, 100, 120, false, want[0])
	must(t, cut.SaveIndex(true, true))
	b, err = vfs.ReadFile(s.dir.FS, s.name(TxnIndexSuffix))
	must(t, err)
	if len(b) != AbortedSize {
		t.Fatalf("%d bytes", len(b))
	}
}

// TestOldMessages reads a folder of a Kafka that wrote format 0 or 1.
func TestOldMessages(t *testing.T) {
	message := func(offset uint64, magic byte, ms uint64, value string) []byte {
		b := binary.BigEndian.AppendUint64(nil, offset)
		body := []byte{magic, 0}
		if magic == 1 {
			body = binary.BigEndian.AppendUint64(body, ms)
		}
		body = binary.BigEndian.AppendUint32(body, 0xffffffff) // no key
		body = append(binary.BigEndian.AppendUint32(body, uint32(len(value))), value...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(body)+4))
		return append(binary.BigEndian.AppendUint32(b, crcIEEE(body)), body...)
	}
	dir := newDir(t)
	all := append(message(100, 0, 0, "a"), message(101, 1, 77, "bb")...)
	all = append(all, batch(t, 102, 2, 10, 99)...)
	must(t, vfs.WriteFile(dir.FS, "/p-0/"+FileName(100, LogSuffix), append(all, message(104, 1, 100, "torn")[:20]...)))
	s, err := Open(dir, 100, vfs.Entry{Size: int64(len(all)) + 20}, kafka.NoOffset)
	must(t, err)
	found, err := s.Recover(0, 10, 0, Visitor{Batch: func(Header, []byte) error { return nil }})
	must(t, err)
	if found.Next != 104 || found.End != int64(len(all)) || !errors.Is(found.Stop, ErrTorn) {
		t.Fatalf("%+v", found)
	}
	h, ok, err := s.LocateTime(50, 100)
	must(t, err)
	if !ok || h.Base != 101 || h.MaxTimestamp != 77 {
		t.Fatalf("%+v", h)
	}
}

// TestBatchesReadsHeaders: what a start replays is read in full only where records matter, in a control batch.
func TestBatchesReadsHeaders(t *testing.T) {
	var read int64
	dir := newDir(t)
	dir.FS = vfs.NewFaulty(dir.FS, func(o vfs.Op) error {
		if o.Kind == vfs.OpRead {
			read += o.Length
		}
		return nil
	})
	s, err := Create(dir, 0, now)
	must(t, err)
	const n = 40
	for i := range kafka.Offset(n) {
		b := batch(t, i, 1, 100_000, 1)
		if i == n/2 {
			o := record.NewOptions(i, 1)
			o.Control = true
			var control record.Builder
			control.Begin(o)
			control.Add(1, []byte{0, 0, 0, 1}, []byte{0, 0, 0, 0, 0, 7})
			b, err = control.AppendTo(nil)
			must(t, err)
		}
		must(t, s.Append(b, 4096, now))
	}
	read = 0
	var seen []kafka.Offset
	must(t, s.Batches(10, 30, func(h Header, b []byte) {
		seen = append(seen, h.Base)
		if want := int64(record.HeaderSize); h.Base != n/2 && int64(len(b)) != want || h.Base == n/2 && int64(len(b)) != h.Size {
			t.Errorf("of the batch at %d came %d bytes", h.Base, len(b))
		}
	}))
	if len(seen) != 20 || seen[0] != 10 || seen[19] != 29 {
		t.Errorf("visited %v", seen)
	}
	if read > s.Size()/10 {
		t.Errorf("%d bytes were read of %d", read, s.Size())
	}
}
