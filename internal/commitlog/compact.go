package commitlog

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/compaction"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
)

// Errors of a cleaning, to be told apart with errors.Is.
var (
	// ErrOvertaken says that segments which were being cleaned, or looked at, are not in the log any more.
	ErrOvertaken = errors.New("segments were removed while they were cleaned")
	// ErrUncleanable says that what is in the log can't be read, or has an old format.
	ErrUncleanable = errors.New("log can't be cleaned")
)

// Cleaning says what a Compaction does.
type Cleaning struct {
	From, To        kafka.Offset // of the compaction.Work
	Config          Config       // of the log
	Keys            *compaction.Keys
	Now             time.Time
	DeleteRetention time.Duration
	HighWatermark   kafka.Offset
	Producers       map[kafka.ProducerID]compaction.LastBatch
	BufferBytes     int // of what is read at once, and as much of what is written
}

// Compaction cleans a log, step by step, beside its writer: first it collects the keys of the dirty part, then it makes of each group of segments a new
// one, in files aside, and has the writer swap it in. All steps are one goroutine's. Nothing below the segment that is being made is left half done by a crash.
type Compaction struct {
	l        *Log
	o        Cleaning
	segments []*segment.Segment // of the log up to To
	input    []byte
	output   []byte

	index  *compaction.Index
	filter *compaction.Filter
	groups [][]*segment.Segment // still to be cleaned
	reader *segment.Reader
	at     int              // of segments, or of the group: the one that is read
	fresh  *segment.Segment // what is made of the first group
	ready  bool             // fresh waits for the swap
}

// Progress tells what a step did.
type Progress struct {
	Bytes int64 // read and written
	Ready bool  // a segment is made: Swap it
	Done  bool
}

// Compact returns a compaction of the log. What lies below To must be flushed. The error wraps ErrUncleanable if a part of the log is damaged.
func (l *Log) Compact(o Cleaning) (*Compaction, error) {
	v := l.list.Load()
	if len(v.damage) > 0 {
		return nil, fmt.Errorf("clean %s: %w: %w: %s", l.partition, ErrUncleanable, ErrDamaged, v.damage[0])
	}
	c := &Compaction{l: l, o: o, input: make([]byte, max(o.BufferBytes, record.HeaderSize)), output: make([]byte, 0, o.BufferBytes)}
	for i, s := range v.segments {
		if v.next(i) <= o.To && i+1 < len(v.segments) {
			c.segments = append(c.segments, s)
		}
	}
	for c.at+1 < len(c.segments) && c.segments[c.at+1].Base() <= o.From {
		c.at++
	}
	aborted, err := l.abortedTxns(o.From, o.To)
	c.index = compaction.NewIndex(o.Keys, o.From, aborted)
	return c, l.cleanError(err)
}

func (l *Log) abortedTxns(from, end kafka.Offset) ([]compaction.Aborted, error) {
	list, err := l.AbortedTxns(from, end)
	all := make([]compaction.Aborted, len(list))
	for i, a := range list {
		all[i] = compaction.Aborted(a)
	}
	return all, err
}

// Log returns the log that is cleaned.
func (c *Compaction) Log() *Log { return c.l }

// End returns up to where, exclusive, the log is clean once the compaction is done.
func (c *Compaction) End() kafka.Offset { return c.index.End() }

// Counts returns how many records and bytes were read for the new segments, and how many stayed.
func (c *Compaction) Counts() (read, kept, readBytes, keptBytes int64) {
	if c.filter == nil {
		return 0, 0, 0, 0
	}
	return c.filter.Read, c.filter.Kept, c.filter.ReadBytes, c.filter.KeptBytes
}

// Indexed returns how many keys were collected, and from how many records.
func (c *Compaction) Indexed() (keys int, records int64) { return c.o.Keys.Len(), c.index.Records }

// Indexing reports whether the compaction only reads yet: its steps touch no file's name.
func (c *Compaction) Indexing() bool { return c.filter == nil }

// Step goes on for about a buffer of input. The error wraps ErrUncleanable where batches are to blame, and ErrOvertaken where segments are gone; others are
// the file system's. Close the compaction after an error, or when it is not to go on.
func (c *Compaction) Step() (Progress, error) {
	var p Progress
	var err error
	switch {
	case c.filter == nil:
		err = c.collect(&p)
	case len(c.groups) == 0:
		p.Done = true
	case c.ready:
		p.Ready = true
	default:
		err = c.rewrite(&p)
	}
	return p, c.l.cleanError(err)
}

// cleanError tells errors of batches, and of segments that are gone, from those of the file system.
func (l *Log) cleanError(err error) error {
	if err == nil {
		return nil
	}
	kind := error(nil)
	for _, batches := range []error{compaction.ErrUnreadable, segment.ErrCorrupt, segment.ErrTorn, segment.ErrIndex} {
		if errors.Is(err, batches) {
			kind = ErrUncleanable
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		kind = ErrOvertaken
	}
	if kind != nil {
		err = fmt.Errorf("%w: %w", kind, err)
	}
	return fmt.Errorf("clean %s: %w", l.partition, err)
}

// collect reads keys.
func (c *Compaction) collect(p *Progress) error {
	for p.Bytes < int64(c.o.BufferBytes) {
		if c.at >= len(c.segments) {
			return c.plan()
		}
		if c.reader == nil {
			if err := c.open(c.segments[c.at], c.o.From); err != nil {
				return err
			}
		}
		if !c.reader.More() {
			c.closeReader()
			c.at++
			end := c.o.To
			if c.at < len(c.segments) {
				end = c.segments[c.at].Base()
			}
			c.index.Finish(end)
			continue
		}
		_, b, err := c.next(p)
		if err != nil {
			return err
		}
		more, err := c.index.Add(b)
		if err != nil {
			return err
		}
		if !more {
			return c.plan()
		}
	}
	return nil
}

func (c *Compaction) open(s *segment.Segment, from kafka.Offset) (err error) {
	c.reader, err = s.NewReader(from, c.input)
	return err
}

// next reads the next batch.
func (c *Compaction) next(p *Progress) (segment.Header, record.Batch, error) {
	h, b, err := c.reader.Next()
	if err == nil && record.Batch(b).Magic() != record.Magic {
		err = fmt.Errorf("%w: at %d: %w", compaction.ErrUnreadable, h.Position, record.ErrLegacy)
	}
	p.Bytes += h.Size
	return h, b, err
}

func (c *Compaction) closeReader() {
	if c.reader != nil {
		c.input = c.reader.Buffer()
		c.reader.Close()
		c.reader = nil
	}
}

// plan decides what is made of what, now that the keys are known.
func (c *Compaction) plan() error {
	c.closeReader()
	c.at = 0
	n, _ := slices.BinarySearchFunc(c.segments, c.index.End(), func(s *segment.Segment, end kafka.Offset) int { return int(max(-1, min(1, s.Base()-end))) })
	c.segments = c.segments[:n]
	rules := compaction.Rules{
		Keys: c.o.Keys, End: c.index.End(), Now: c.o.Now.UnixMilli(), DeleteRetention: c.o.DeleteRetention.Milliseconds(),
		HighWatermark: c.o.HighWatermark, Producers: c.o.Producers,
	}
	if n > 0 {
		var err error
		if rules.Aborted, err = c.l.abortedTxns(c.segments[0].Base(), c.o.To); err != nil {
			return err
		}
	}
	c.filter = compaction.NewFilter(rules)
	sizes := make([]compaction.Segment, n)
	for i, s := range c.segments {
		sizes[i] = compaction.Segment{Base: s.Base(), Bytes: s.Size(), IndexBytes: indexBytes(s, &c.o.Config)}
	}
	rest := c.segments
	for _, n := range compaction.Groups(sizes, c.o.To, int64(c.o.Config.SegmentBytes), int64(c.o.Config.IndexBytes)) {
		c.groups = append(c.groups, rest[:n])
		rest = rest[n:]
	}
	return nil
}

// rewrite passes batches of the first group through the filter.
func (c *Compaction) rewrite(p *Progress) error {
	group := c.groups[0]
	if c.fresh == nil {
		var err error
		if c.fresh, err = segment.CreateAside(c.l.dir, group[0].Base(), time.UnixMilli(group[len(group)-1].Modified())); err != nil {
			return err
		}
	}
	last := len(group) - 1
	for last > 0 && group[last].Size() == 0 {
		last--
	}
	for p.Bytes < int64(c.o.BufferBytes) {
		if c.at == len(group) {
			return c.seal(p)
		}
		if c.reader == nil {
			if err := c.open(group[c.at], group[c.at].Base()); err != nil {
				return err
			}
		}
		if !c.reader.More() {
			c.closeReader()
			c.at++
			continue
		}
		_, b, err := c.next(p)
		if err != nil {
			return err
		}
		out, aborted, err := c.filter.Append(c.output, b, c.at == last && !c.reader.More())
		if err != nil {
			return err
		}
		c.output = out
		if aborted != nil {
			c.fresh.NoteAborted(segment.Aborted(*aborted))
		}
		if len(c.output) >= c.o.BufferBytes {
			if err := c.write(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Compaction) write(p *Progress) error {
	if len(c.output) == 0 {
		return nil
	}
	p.Bytes += int64(len(c.output))
	err := c.fresh.Append(c.output, c.o.Config.IndexInterval, time.UnixMilli(c.fresh.Modified()))
	c.output = c.output[:0]
	return err
}

// seal finishes the new segment and makes it durable, for the swap.
func (c *Compaction) seal(p *Progress) error {
	if err := c.write(p); err != nil {
		return err
	}
	if err := c.fresh.Seal(); err != nil {
		return err
	}
	if err := c.fresh.SyncData(); err != nil {
		return err
	}
	if err := c.fresh.SaveIndex(true, true); err != nil {
		return err
	}
	// A snapshot of the producers from before the end of what is made, and the batches that stay after it, would not give their state: of a transaction
	// that is open in the one, the marker may be gone from the others.
	end := c.o.To
	if n := slices.Index(c.segments, c.groups[0][len(c.groups[0])-1]) + 1; n < len(c.segments) {
		end = c.segments[n].Base()
	}
	if err := c.l.removeSnapshots(func(at kafka.Offset) bool { return at < end }); err != nil {
		return err
	}
	// The names first: were some of them renamed and others lost, the rest would be taken for the whole.
	if err := c.l.dir.FS.SyncDir(c.l.dir.Path); err != nil {
		return err
	}
	c.ready, p.Ready = true, true
	return nil
}

// Close gives up what is not done. Files that were made aside go.
func (c *Compaction) Close() error {
	fresh := c.fresh
	c.Abandon()
	if fresh == nil {
		return nil
	}
	return fresh.Discard()
}

// Abandon is Close without a change of the folder, which is another one's, or failed.
func (c *Compaction) Abandon() {
	c.closeReader()
	if c.fresh != nil {
		c.fresh.Close()
	}
	c.fresh, c.ready = nil, false
}
