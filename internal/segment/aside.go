package segment

import (
	"errors"
	"io/fs"
	"path"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// CreateAside makes an empty segment whose files are called .cleaned, beside those that it is to replace. Modified is what it takes for the time
// of its last change. Save and sync it, then call MoveToSwap, remove what it replaces, and call MoveIntoPlace, each durably before the next.
// The folder is not synced.
func CreateAside(dir *Dir, base kafka.Offset, modified time.Time) (*Segment, error) {
	s := newSegment(dir, base)
	s.aside.Store(true)
	return s, s.create(modified)
}

// openData opens the data file. One that is being moved into its place is looked for where it comes from first: it only moves on.
func (s *Segment) openData() (vfs.File, error) {
	for {
		aside := s.aside.Load()
		file, err := s.openAside(aside)
		if aside && !s.aside.Load() {
			// In its place by now: a .cleaned file may be another segment's.
			if err == nil {
				_ = file.Close()
			}
			continue
		}
		return file, err
	}
}

func (s *Segment) openAside(aside bool) (vfs.File, error) {
	place := s.place(LogSuffix)
	if aside {
		for _, suffix := range []string{CleanedSuffix, SwapSuffix} {
			if file, err := s.dir.FS.OpenWrite(place + suffix); !errors.Is(err, fs.ErrNotExist) {
				return file, err
			}
		}
	}
	return s.dir.FS.OpenWrite(place)
}

// place returns the name that a file of the segment has in the end.
func (s *Segment) place(suffix string) string {
	return path.Join(s.dir.Path, FileName(s.base, suffix))
}

// MoveToSwap renames the .cleaned files to .swap: from then on the segment counts, and what it replaces does not. The folder is not synced.
func (s *Segment) MoveToSwap() error {
	for _, suffix := range fileSuffixes {
		if err := s.move(s.place(suffix)+CleanedSuffix, s.place(suffix)+SwapSuffix); err != nil {
			return err
		}
	}
	return nil
}

// MoveIntoPlace takes .swap off the names, durably. The data file goes first: while it is called .swap, a crash makes the next start remove all
// files in the segment's place.
func (s *Segment) MoveIntoPlace() error {
	for i, suffix := range fileSuffixes {
		if err := s.move(s.place(suffix)+SwapSuffix, s.place(suffix)); err != nil {
			return err
		}
		if i == 0 {
			if err := s.dir.FS.SyncDir(s.dir.Path); err != nil {
				return err
			}
		}
	}
	if err := s.dir.FS.SyncDir(s.dir.Path); err != nil {
		return err
	}
	s.aside.Store(false)
	s.OfferIndex()
	return nil
}

// move renames a file that may not exist.
func (s *Segment) move(from, to string) error {
	err := s.dir.FS.Rename(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Discard closes a segment that was made aside, and removes its .cleaned files.
func (s *Segment) Discard() error {
	s.drop()
	for _, suffix := range fileSuffixes {
		if err := s.dir.FS.Remove(s.place(suffix) + CleanedSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Reader reads the batches of a segment that nobody appends to, one after another. Close it.
type Reader struct {
	handle   *Handle
	scan     scan
	position int64
}

// NewReader returns a reader from the batch on that holds offset from, with a buffer that it makes larger if it has to.
func (s *Segment) NewReader(from kafka.Offset, buffer []byte) (*Reader, error) {
	h, err := s.Acquire()
	if err != nil {
		return nil, err
	}
	r := &Reader{handle: h, scan: scan{file: h.file, size: s.Size(), buf: buffer}}
	if from > s.base {
		first, found, err := h.Locate(from, r.scan.size)
		if err != nil {
			h.Release()
			return nil, err
		}
		r.position = first.Position
		if !found {
			r.position = r.scan.size
		}
	}
	return r, nil
}

// More reports whether there is a batch left.
func (r *Reader) More() bool { return r.position < r.scan.size }

// Next returns the next batch; its bytes are good until the call after. The error wraps ErrTorn or ErrCorrupt if there is none where one should be.
func (r *Reader) Next() (Header, []byte, error) {
	h, b, err := r.scan.batch(r.position)
	r.position += h.Size
	return h, b, err
}

// Buffer returns the buffer, for the next reader.
func (r *Reader) Buffer() []byte { return r.scan.buf }

// Close lets go of the file.
func (r *Reader) Close() { r.handle.Release() }

// FirstTimestamp returns the timestamp of the first batch in ms, or kafka.NoTimestamp.
func (s *Segment) FirstTimestamp() (int64, error) {
	first, found, err := s.Locate(s.base, s.Size())
	if err != nil || !found {
		return kafka.NoTimestamp, err
	}
	return first.MaxTimestamp, nil
}
