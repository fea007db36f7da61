package segment

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// aborts is the transaction index of a segment: loaded when first asked for, and most segments have none.
type aborts struct {
	entries column[Aborted]
	saved   int64 // entries in the file; of the flusher
	odd     error // of a file that can't be read: it stays, and so does the error for all who ask, until a recovery makes it again
}

// NoteAborted adds an aborted transaction whose marker was just appended. Of the writer.
func (s *Segment) NoteAborted(a Aborted) {
	x, err := s.loadAborts()
	if x == nil {
		x = &aborts{odd: err}
		s.aborts.Store(x)
	}
	x.entries.add(a)
}

// loadAborts fails with an ErrIndex where the file makes no sense; what was noted since is there all the same.
func (s *Segment) loadAborts() (*aborts, error) {
	if x := s.aborts.Load(); x != nil {
		return x, x.odd
	}
	b, err := vfs.ReadFile(s.dir.FS, s.name(TxnIndexSuffix))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	entries, err := ParseTxnIndex(b)
	if err == nil && len(entries) > 0 && entries[0].LastOffset < s.base {
		entries, err = nil, fmt.Errorf("%w: aborted transaction ends at %d in a segment from %d on", ErrIndex, entries[0].LastOffset, s.base)
	}
	x := &aborts{saved: int64(len(entries)), odd: err}
	if b == nil {
		x.saved = -1 // there is no file
	}
	x.entries.set(entries)
	if !s.aborts.CompareAndSwap(nil, x) {
		x = s.aborts.Load()
	}
	return x, x.odd
}

// CollectAborted appends to dst the aborted transactions that have records in [from, end), and reports whether those of later segments can't
// have any, because all of this one's later transactions begin at or above end.
func (s *Segment) CollectAborted(dst []Aborted, from, end kafka.Offset) ([]Aborted, bool, error) {
	x, err := s.loadAborts()
	if err != nil {
		return dst, false, err
	}
	for _, a := range x.entries.view() {
		if a.LastOffset >= from && a.FirstOffset < end {
			dst = append(dst, a)
		}
		if a.LastStableOffset >= end {
			return dst, true, nil
		}
	}
	return dst, false, nil
}

// resetAborts starts a new transaction index with the entries whose markers lie below end, for a recovery or truncation there.
func (s *Segment) resetAborts(old *aborts, end kafka.Offset) {
	x := &aborts{saved: -1}
	if old != nil {
		x.odd = old.odd
		for _, a := range old.entries.view() {
			if a.LastOffset < end {
				x.entries.add(a)
			}
		}
	}
	s.aborts.Store(x)
}

// SaveAborts makes the transaction index of the active segment durable, without which a recovery that begins after a
// marker would not know of it; a whole SaveIndex writes it too. It reports whether the file is new, so that the folder
// has to be synced. Of the flusher.
func (s *Segment) SaveAborts() (created bool, err error) {
	x := s.aborts.Load()
	if x == nil || x.odd != nil || x.entries.n.Load() == max(0, x.saved) {
		return false, nil
	}
	created = x.saved < 0
	return created, s.saveAborts(true)
}

// saveAborts writes what the file lacks. A segment without aborted transactions has no file, unless an old one has to be emptied.
func (s *Segment) saveAborts(sync bool) error {
	x := s.aborts.Load()
	if x == nil || x.odd != nil {
		return nil
	}
	entries := x.entries.view()
	if x.saved < 0 && len(entries) == 0 {
		err := s.dir.FS.Remove(s.name(TxnIndexSuffix))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	}
	err := s.saveEntries(TxnIndexSuffix, x.saved, int64(len(entries)), AbortedSize, sync, func(dst []byte, i int64) []byte {
		return entries[i].AppendTo(dst)
	})
	if err == nil {
		x.saved = int64(len(entries))
	}
	return err
}
