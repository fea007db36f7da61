package commitlog

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
)

// checkedTail is how much of a segment is read and checked where headers would do, in bytes: more than a usual write.
const checkedTail = 1 << 20

// recover scans from the recovery point on. What is not whole, valid and in order above it is cut off, with all that follows. Below it, it
// is damage: it stays where it is, and what follows is kept.
func (op *opening) recover() error {
	if op.o.Written {
		epochs := op.epochs
		odd, err := op.takeWritten()
		if err != nil || odd == nil {
			return err
		}
		op.epochs, op.unsealed, op.report = epochs, nil, Report{Odd: odd}
	}
	return op.scanAll()
}

// begin returns the segment that a scan begins with, and brings the epochs and the producers to where it does.
func (op *opening) begin() (first int, err error) {
	for first+1 < len(op.segments) && op.segments[first+1].Base() <= op.l.recoveryPoint {
		first++
	}
	op.from = max(op.l.recoveryPoint, op.segments[first].Base())
	op.epochs, _ = op.epochs.truncateEnd(op.from)
	return first, op.loadProducers(op.from)
}

// scan scans a segment; what it ends with is the caller's to judge.
func (op *opening) scan(s *segment.Segment, trusted int64, bad func(segment.Header, error) bool) (segment.Recovery, error) {
	found, err := s.Recover(op.from, op.l.config.IndexInterval, trusted, segment.Visitor{Batch: op.visit(s), Bad: bad})
	op.report.ScannedBytes += found.Scanned
	op.unsealed = append(op.unsealed, s)
	return found, err
}

// takeWritten takes the batches above the recovery point by their headers, and cuts the last one off if it is torn. Anything else that is not
// as a dead process leaves it is odd: then nothing was changed but what a scan sets anew.
func (op *opening) takeWritten() (odd, err error) {
	first, err := op.begin()
	if err != nil {
		return nil, err
	}
	next := op.segments[first].Base()
	for i, s := range op.segments[first:] {
		if s.Base() > next && !op.l.config.Compacted {
			return fmt.Errorf("%w: offsets %d to %d are missing", segment.ErrCorrupt, next, s.Base()-1), nil
		}
		found, err := op.scan(s, s.Size()-checkedTail, nil)
		if err != nil {
			return nil, err
		}
		next = found.Next
		last := first+i+1 == len(op.segments)
		switch {
		case last && next < op.l.recoveryPoint, found.Stop != nil && !(last && errors.Is(found.Stop, segment.ErrTorn)):
			return cmp.Or(found.Stop, segment.ErrTorn), nil
		case found.Stop != nil:
			op.report.LostBytes, op.report.Cut = found.Size-found.End, found.Stop
			return nil, s.Cut()
		}
	}
	return nil, nil
}

func (op *opening) scanAll() error {
	l := op.l
	point := l.recoveryPoint
	first, err := op.begin()
	if err != nil {
		return err
	}
	known := len(op.damage)
	next := op.segments[first].Base()
	for i := first; i < len(op.segments); i++ {
		s := op.segments[i]
		if s.Base() > next && next >= point && !l.config.Compacted {
			return op.cutFrom(i, fmt.Errorf("%w: offsets %d to %d are missing", segment.ErrCorrupt, next, s.Base()-1))
		}
		found, err := op.scan(s, 0, op.bad(s))
		if err != nil {
			return err
		}
		next = found.Next
		switch last := i+1 == len(op.segments); {
		case next < point && (found.Stop != nil || last):
			next = op.quarantine(i, next)
		case found.Stop != nil:
			op.report.LostBytes += found.Size - found.End
			if err := s.Cut(); err != nil {
				return err
			}
			return op.cutFrom(i+1, found.Stop)
		}
	}
	if len(op.damage) > known {
		return op.keepDamage()
	}
	return nil
}

// visit returns what takes in the batches of s that are found good.
func (op *opening) visit(s *segment.Segment) func(segment.Header, []byte) error {
	return func(h segment.Header, b []byte) error {
		if h.Epoch >= 0 {
			if h.Epoch < op.epochs.latest() {
				return fmt.Errorf("%w: at %d: epoch %d after %d", segment.ErrCorrupt, h.Position, h.Epoch, op.epochs.latest())
			}
			if h.Epoch > op.epochs.latest() {
				op.epochs, _ = op.epochs.assign(h.Epoch, h.Base)
			}
		}
		if h.Last >= op.l.producers.EndOffset() && b[16] == record.Magic { // the log may start within a batch
			if done, ok := op.l.producers.Replay(record.Batch(b)); ok && done.Aborted {
				s.NoteAborted(segment.Aborted{
					ProducerID: done.ProducerID, FirstOffset: done.FirstOffset, LastOffset: done.LastOffset, LastStableOffset: done.LastStableOffset,
				})
			}
		}
		return nil
	}
}

// bad returns what decides on a batch of s whose bytes are not what was written: below the recovery point it is damage, and the scan goes on.
func (op *opening) bad(s *segment.Segment) func(segment.Header, error) bool {
	return func(h segment.Header, _ error) bool {
		if h.Last >= op.l.recoveryPoint {
			return false
		}
		op.damage = addDamage(op.damage, Damage{From: h.Base, End: h.Last + 1, Segment: s.Base()})
		return true
	}
}

// quarantine marks what segment i has from offset next on as damage, up to the next segment or, in the last one, to the recovery point. It returns the end.
func (op *opening) quarantine(i int, next kafka.Offset) kafka.Offset {
	end := op.l.recoveryPoint
	if i+1 < len(op.segments) {
		end = op.segments[i+1].Base()
	}
	op.damage = addDamage(op.damage, Damage{From: next, End: end, Segment: op.segments[i].Base()})
	return end
}

// keepDamage writes the damage down, and starts a new segment if the last one is damaged at its end: nothing is appended to such a file.
func (op *opening) keepDamage() error {
	l := op.l
	if err := writeDamage(l.dir.FS, l.dir.Path, op.damage); err != nil {
		return err
	}
	next, _ := op.segments[len(op.segments)-1].End()
	if next >= l.recoveryPoint {
		return nil
	}
	s, err := segment.Create(l.dir, l.recoveryPoint, op.o.Now)
	if err != nil {
		return err
	}
	op.segments = append(op.segments, s)
	return nil
}

// cutFrom removes the segments from i on; what they hold does not follow what is before them.
func (op *opening) cutFrom(i int, cause error) error {
	op.report.Cut = cause
	for n := len(op.segments) - 1; n >= i; n-- {
		s := op.segments[n]
		op.report.LostBytes += s.Size()
		if err := op.l.doom(s, op.o.Now); err != nil {
			return err
		}
	}
	op.segments = op.segments[:i]
	return op.l.dir.FS.SyncDir(op.l.dir.Path)
}
