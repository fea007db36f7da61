package segment

import (
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

// TestMovingIntoPlace reads a segment that was made aside at each step of its way, through files that are opened anew.
func TestMovingIntoPlace(t *testing.T) {
	dir := newDir(t)
	old, _ := filled(t, dir, 100, 200)
	must(t, old.Seal())
	must(t, old.SaveIndex(true, true))
	s, err := CreateAside(dir, 100, now)
	must(t, err)
	b := batch(t, 103, 2, 50, 7)
	must(t, s.Append(b, 200, now))
	s.NoteAborted(Aborted{ProducerID: 1, FirstOffset: 103, LastOffset: 104})
	must(t, s.Seal())
	must(t, s.SaveIndex(true, true))
	check := func(step string) {
		t.Helper()
		s.handle.Load().evict()
		h, found, err := s.Locate(100, s.Size())
		if err != nil || !found || h.Base != 103 || h.Size != int64(len(b)) {
			t.Fatalf("%s: %+v, %v, %v", step, h, found, err)
		}
	}
	check("made")
	must(t, s.MoveToSwap())
	check("called .swap")
	must(t, old.Remove())
	if _, err := old.Acquire(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old one: %v", err)
	}
	must(t, s.MoveIntoPlace())
	check("in its place")
	names, err := dir.FS.List(dir.Path)
	must(t, err)
	names = slices.DeleteFunc(names, func(n string) bool { return n[len(n)-1] == 'd' }) // .deleted
	base := FileName(100, "")
	if want := []string{base + IndexSuffix, base + LogSuffix, base + TimeIndexSuffix, base + TxnIndexSuffix}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	if aborted, _, err := s.CollectAborted(nil, 0, 1000); err != nil || len(aborted) != 1 {
		t.Error(aborted, err)
	}
}

func TestDiscard(t *testing.T) {
	dir := newDir(t)
	s, err := CreateAside(dir, 100, now)
	must(t, err)
	must(t, s.Append(batch(t, 100, 1, 50, 7), 200, now))
	must(t, s.SaveIndex(true, true))
	must(t, s.Discard())
	if names, err := dir.FS.List(dir.Path); err != nil || len(names) > 0 {
		t.Errorf("%q, %v", names, err)
	}
}

func TestReader(t *testing.T) {
	s, all := filled(t, newDir(t), 100, 200)
	for _, from := range []kafka.Offset{0, 100, 101, 150, 199, 200} {
		r, err := s.NewReader(from, make([]byte, 61))
		must(t, err)
		next := max(from, 100)
		for r.More() {
			h, b, err := r.Next()
			must(t, err)
			if h.Base != next || int64(len(b)) != h.Size || string(b) != string(all[h.Position:][:h.Size]) {
				t.Fatalf("from %d: %+v, want %d", from, h, next)
			}
			next++
		}
		if next != 200 {
			t.Errorf("from %d: ended at %d", from, next)
		}
		r.Close()
	}
}

// The index of a finished segment goes when others need the room; that of an active one stays.
func TestFinishedIndexesMayGo(t *testing.T) {
	dir := newDir(t)
	dir.Cache = NewCache(4, 300)
	var all []*Segment
	for range 3 {
		s, _ := filled(t, dir, 100, 0)
		must(t, s.Seal())
		must(t, s.SaveIndex(true, true))
		all = append(all, s)
		if len(all) < 3 {
			s.OfferIndex()
			s.OfferIndex()
			s.index.Load().used.Store(false)
		}
	}
	if all[0].index.Load() != nil || all[1].index.Load() == nil || all[2].index.Load() == nil || len(dir.Cache.indexes.ring) != 1 {
		t.Errorf("%v %v %v", all[0].index.Load() != nil, all[1].index.Load() != nil, all[2].index.Load() != nil)
	}
}
