package compaction

import (
	"math"
	"sort"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// Config is what a topic's configuration says about compaction.
type Config struct {
	MinDirtyRatio   float64       // min.cleanable.dirty.ratio
	MinLag          time.Duration // min.compaction.lag.ms
	MaxLag          time.Duration // max.compaction.lag.ms
	DeleteRetention time.Duration // delete.retention.ms
}

// BoundsAge reports whether max.compaction.lag.ms sets a bound.
func (c *Config) BoundsAge() bool { return c.MaxLag >= 0 && c.MaxLag != math.MaxInt64 }

// Segment is what a plan needs to know of a segment.
type Segment struct {
	Base       kafka.Offset
	Bytes      int64
	IndexBytes int64 // of the larger of its indexes
	First      int64 // timestamp of the first batch, ms; asked for only where Config.BoundsAge
	Newest     int64 // greatest timestamp, ms; asked for only where Config.MinLag is above 0
}

// Log is what a plan needs to know of a log.
type Log struct {
	Config     Config
	Cleaned    kafka.Offset // the cleaner's checkpoint: what lies below is clean; 0 without one
	Start, End kafka.Offset
	LastStable kafka.Offset
	Segments   []Segment // in order, the active one last
}

// Work is what there is to clean of a log.
type Work struct {
	From, To kafka.Offset // the range whose keys are to be collected; To, exclusive, is the base offset of a segment
	Dirty    int64        // bytes between From and To, by whole segments
	Clean    int64        // bytes below From, by whole segments
	Overdue  bool         // max.compaction.lag.ms has passed for something dirty
}

// Ratio returns how much of what can be cleaned is dirty.
func (w *Work) Ratio() float64 {
	if w.Dirty+w.Clean == 0 {
		return 0
	}
	return float64(w.Dirty) / float64(w.Dirty+w.Clean)
}

// Measure finds what there is to clean at now, in ms. The active segment, what lies at or above the last stable offset, and segments with
// a record younger than min.compaction.lag.ms are not cleaned.
func Measure(l *Log, now int64) Work {
	w := Work{From: max(l.Cleaned, l.Start)}
	if w.From > l.End {
		w.From = l.Start // of a log that was lost: all is dirty again
	}
	active := len(l.Segments) - 1
	dirty := l.Segments[min(l.holder(w.From), active):active]
	bound := min(l.LastStable, l.Segments[active].Base)
	if l.Config.MinLag > 0 {
		for i := range dirty {
			if dirty[i].Newest > now-l.Config.MinLag.Milliseconds() {
				bound = min(bound, dirty[i].Base)
				break
			}
		}
	}
	last := l.holder(max(w.From, bound))
	w.To = max(w.From, l.Segments[last].Base)
	for i := range l.Segments[:last] {
		if s := &l.Segments[i]; s.Base < w.From {
			w.Clean += s.Bytes
		}
	}
	if w.To > w.From {
		for i := l.holder(w.From); i < last; i++ {
			w.Dirty += l.Segments[i].Bytes
		}
	}
	w.Overdue = l.overdue(dirty, now)
	return w
}

// holder returns the index of the segment that holds the offset, or the first one.
func (l *Log) holder(offset kafka.Offset) int {
	n := sort.Search(len(l.Segments), func(i int) bool { return l.Segments[i].Base > offset })
	return max(0, n-1)
}

// overdue reports whether the oldest of the dirty segments began longer than max.compaction.lag.ms ago.
func (l *Log) overdue(dirty []Segment, now int64) bool {
	if !l.Config.BoundsAge() {
		return false
	}
	for i := range dirty {
		if first := dirty[i].First; first > 0 && first < now-l.Config.MaxLag.Milliseconds() {
			return true
		}
	}
	return false
}

// Due reports whether the work should be done now: enough of the log is dirty, or something has been for too long.
func (w *Work) Due(c *Config) bool {
	return w.Dirty > 0 && (w.Overdue || w.Ratio() > c.MinDirtyRatio)
}

// maxRelative is how far offsets of one segment may lie apart.
const maxRelative = math.MaxInt32

// Groups cuts segments, of which the next one would begin at end, into runs that are cleaned into one segment each, none of which gets larger than the limits, in
// bytes, if it was not before. It returns the lengths of the runs.
func Groups(segments []Segment, end kafka.Offset, maxBytes, maxIndexBytes int64) []int {
	var lengths []int
	var base kafka.Offset
	var size, index int64
	for i := range segments {
		s := &segments[i]
		next := end
		if i+1 < len(segments) {
			next = segments[i+1].Base
		}
		fits := len(lengths) > 0 && size+s.Bytes <= maxBytes && index+s.IndexBytes <= maxIndexBytes &&
			(s.Bytes == 0 || next-1-base <= maxRelative)
		if !fits {
			lengths = append(lengths, 0)
			base, size, index = s.Base, 0, 0
		}
		lengths[len(lengths)-1]++
		size += s.Bytes
		index += s.IndexBytes
	}
	return lengths
}
