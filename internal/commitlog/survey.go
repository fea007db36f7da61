package commitlog

import (
	"github.com/ottla/ottla/internal/compaction"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/segment"
)

// Survey describes the log to a plan of its compaction; the last stable offset is the caller's to set. Errors are Step's.
func (l *Log) Survey(c compaction.Config, config *Config) (compaction.Log, error) {
	v := l.list.Load()
	all := compaction.Log{Config: c, Cleaned: l.Cleaned(), Start: l.LogStartOffset(), End: v.next(len(v.segments) - 1)}
	all.Segments = make([]compaction.Segment, len(v.segments))
	for i, s := range v.segments {
		to := &all.Segments[i]
		*to = compaction.Segment{Base: s.Base(), Bytes: s.Size(), IndexBytes: indexBytes(s, config)}
		if i+1 == len(v.segments) || v.next(i) <= all.Cleaned {
			continue
		}
		var err error
		if c.MinLag > 0 {
			if to.Newest, err = s.MaxTimestamp(); err != nil {
				return all, l.cleanError(err)
			}
		}
		if c.BoundsAge() {
			if to.First, err = s.FirstTimestamp(); err != nil {
				return all, l.cleanError(err)
			}
		}
	}
	return all, nil
}

// indexBytes returns how large an index of the segment can be.
func indexBytes(s *segment.Segment, c *Config) int64 {
	return (s.Size()/int64(max(c.IndexInterval, 1)) + 2) * segment.TimeIndexEntrySize
}

// Cleaned returns the offset below which the log is clean, for the cleaner's checkpoint; 0 if nothing is.
func (l *Log) Cleaned() kafka.Offset { return kafka.Offset(l.cleaned.Load()) }

// SetCleaned says that the log is clean below end. Writer.
func (l *Log) SetCleaned(end kafka.Offset) { l.cleaned.Store(int64(min(end, l.LogEndOffset()))) }
