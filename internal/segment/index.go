package segment

import (
	"math"
	"sort"
	"sync/atomic"
	"unsafe"

	"github.com/ottla/ottla/internal/kafka"
)

// column is a growing list with one writer and any number of readers that never wait.
type column[T any] struct {
	slots atomic.Pointer[[]T]
	n     atomic.Int64
}

// view returns the entries; they never change.
func (c *column[T]) view() []T {
	n := c.n.Load() // first: the slots are at least as new
	if n == 0 {
		return nil
	}
	return (*c.slots.Load())[:n]
}

func (c *column[T]) add(v T) {
	n := c.n.Load()
	slots := c.slots.Load()
	if slots == nil || int(n) == len(*slots) {
		grown := make([]T, max(8, 2*n))
		if slots != nil {
			copy(grown, *slots)
		}
		c.slots.Store(&grown)
		slots = &grown
	}
	(*slots)[n] = v
	c.n.Store(n + 1)
}

func (c *column[T]) set(entries []T) {
	c.slots.Store(&entries)
	c.n.Store(int64(len(entries)))
}

func (c *column[T]) last() (v T, ok bool) {
	if entries := c.view(); len(entries) > 0 {
		return entries[len(entries)-1], true
	}
	return v, false
}

// index is the loaded offset and time index of a segment.
type index struct {
	seg     *Segment
	offsets column[IndexEntry]
	times   column[TimeEntry]
	used    atomic.Bool
	cached  atomic.Bool // the cache may drop it
	// saved counts what is in the files, for the flusher and for the cache, which keeps an index with more; negative if the files have
	// to be written as a whole.
	savedOffsets, savedTimes atomic.Int64
}

// offer lets the cache drop the index of a segment that is finished, once it is saved. An active segment's grows, and would be counted with what it weighs now.
func (x *index) offer() {
	if x.cached.CompareAndSwap(false, true) {
		x.seg.dir.Cache.indexes.add(x)
	}
}

// OfferIndex lets the cache drop the index, which has been saved and grows no more.
func (s *Segment) OfferIndex() {
	if x := s.index.Load(); x != nil {
		x.offer()
	}
}

func newIndex(s *Segment) *index { return &index{seg: s} }

// lookup returns the position from which to look for the batch that holds the offset.
func (x *index) lookup(relative int64) int64 { return int64(x.entry(relative).Position) }

// entry returns the last entry at or below the offset; the zero entry, which is the segment's beginning, if there is none.
func (x *index) entry(relative int64) IndexEntry {
	entries := x.offsets.view()
	i := sort.Search(len(entries), func(i int) bool { return int64(entries[i].Relative) > relative })
	if i == 0 {
		return IndexEntry{}
	}
	return entries[i-1]
}

// before returns the greatest position of an entry at or below position: that of a batch to look from.
func (x *index) before(position int64) int64 {
	entries := x.offsets.view()
	i := sort.Search(len(entries), func(i int) bool { return int64(entries[i].Position) > position })
	if i == 0 {
		return 0
	}
	return int64(entries[i-1].Position)
}

// lookupTime returns the relative offset from which to look for the first record that is not older than timestamp.
func (x *index) lookupTime(timestamp int64) int64 {
	entries := x.times.view()
	i := sort.Search(len(entries), func(i int) bool { return entries[i].Timestamp > timestamp })
	if i == 0 {
		return 0
	}
	return int64(entries[i-1].Relative)
}

// note adds an entry for the batch h. The greatest timestamp so far, of the batch that ends at maxRelative, goes to the time index.
func (x *index) note(relative int64, position int64, maxTimestamp int64, maxRelative int64) {
	x.offsets.add(IndexEntry{Relative: int32(relative), Position: int32(position)})
	x.noteTime(maxTimestamp, maxRelative)
}

func (x *index) noteTime(maxTimestamp int64, maxRelative int64) {
	last, ok := x.times.last()
	if !ok {
		last = TimeEntry{Timestamp: kafka.NoTimestamp, Relative: 0}
	}
	if maxTimestamp > last.Timestamp && maxRelative >= int64(last.Relative) {
		x.times.add(TimeEntry{Timestamp: maxTimestamp, Relative: int32(maxRelative)})
	}
}

// clipped returns the entries of batches that end below the relative offset end.
func (x *index) clipped(end int64) *index {
	to := newIndex(x.seg)
	offsets, times := x.offsets.view(), x.times.view()
	n := sort.Search(len(offsets), func(i int) bool { return int64(offsets[i].Relative) >= end })
	to.offsets.set(append([]IndexEntry(nil), offsets[:n]...))
	n = sort.Search(len(times), func(i int) bool { return int64(times[i].Relative) >= end })
	to.times.set(append([]TimeEntry(nil), times[:n]...))
	to.savedOffsets.Store(-1)
	to.savedTimes.Store(-1)
	return to
}

func (x *index) dirty() bool {
	return x.savedOffsets.Load() != x.offsets.n.Load() || x.savedTimes.Load() != x.times.n.Load()
}

// unsaved is how many offset entries are not in the file.
func (x *index) unsaved() int64 { return x.offsets.n.Load() - max(0, x.savedOffsets.Load()) }

func (x *index) weight() int64 {
	return x.offsets.n.Load()*int64(unsafe.Sizeof(IndexEntry{})) + x.times.n.Load()*int64(unsafe.Sizeof(TimeEntry{})) + int64(unsafe.Sizeof(*x))
}

// touched implements resident.
func (x *index) touched() bool { return x.used.Swap(false) || x.dirty() }

// evict implements resident.
func (x *index) evict() { x.seg.index.CompareAndSwap(x, nil) }

// maxRelative is the greatest offset of a segment, counted from its base.
const maxRelative = math.MaxInt32
