package metalog

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

// SnapshotID names a snapshot: the state of the log up to EndOffset (exclusive), whose last record is of Epoch.
type SnapshotID struct {
	EndOffset kafka.Offset
	Epoch     kafka.LeaderEpoch
}

const (
	snapshotSuffix = ".checkpoint"
	// partSuffix marks a snapshot that is being written; Kafka removes such files at its start too.
	partSuffix = ".part"
	// snapshotRecords is how many records of a snapshot share a batch.
	snapshotRecords = 1024
	// snapshotBuffer is how much of a snapshot is held before it is written.
	snapshotBuffer = 1 << 20
)

// String returns the name of the snapshot's file.
func (s SnapshotID) String() string {
	return fmt.Sprintf("%020d-%010d%s", s.EndOffset, s.Epoch, snapshotSuffix)
}

// BootstrapID is the file that format writes: what the first leader is to write into the log. It is no snapshot:
// a log that starts at 0 needs none.
var BootstrapID = SnapshotID{}

// parseSnapshotName reads what SnapshotID.String gives.
func parseSnapshotName(name string) (SnapshotID, bool) {
	stem, ok := strings.CutSuffix(name, snapshotSuffix)
	if !ok || len(stem) != 20+1+10 || stem[20] != '-' {
		return SnapshotID{}, false
	}
	end, err1 := strconv.ParseInt(stem[:20], 10, 64)
	epoch, err2 := strconv.ParseInt(stem[21:], 10, 32)
	return SnapshotID{kafka.Offset(end), kafka.LeaderEpoch(epoch)}, err1 == nil && err2 == nil && end >= 0 && epoch >= 0
}

// ListSnapshots returns the snapshots of a folder, oldest first, the bootstrap file too.
func ListSnapshots(f vfs.FS, dir string) ([]SnapshotID, error) {
	entries, err := f.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var ids []SnapshotID
	for _, e := range entries {
		if id, ok := parseSnapshotName(e.Name); ok && !e.Dir {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b SnapshotID) int {
		return cmp.Or(cmp.Compare(a.EndOffset, b.EndOffset), cmp.Compare(a.Epoch, b.Epoch))
	})
	return ids, nil
}

// removeParts removes the snapshots that a crash left half written.
func removeParts(f vfs.FS, dir string) error {
	entries, err := f.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name, snapshotSuffix+partSuffix) {
			if err := f.Remove(path.Join(dir, e.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// readSnapshot visits the batches of a snapshot, whose file's name may have a suffix. A file without header or footer is not whole.
func readSnapshot(f vfs.FS, dir string, id SnapshotID, suffix string, visit func(*Batch) error) error {
	name := path.Join(dir, id.String()+suffix)
	content, err := vfs.ReadFile(f, name)
	if err != nil {
		return err
	}
	header, footer := false, false
	err = visitBatches(content, func(d *Batch) error {
		header, footer = header || d.Header != nil, d.Footer
		return visit(d)
	})
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case !header || !footer:
		return fmt.Errorf("%w: %s has no header or no footer", ErrDamaged, name)
	}
	return nil
}

// visitBatches decodes all batches of content, which must be whole.
func visitBatches(content []byte, visit func(*Batch) error) error {
	for len(content) > 0 {
		b, rest, err := record.Next(content)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if err := b.CheckCRC(); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		d, err := Decode(b)
		if err != nil {
			return err
		}
		if err := visit(d); err != nil {
			return err
		}
		content = rest
	}
	return nil
}

// LoadSnapshot builds the image of a snapshot and the membership in it. Errors wrap ErrDamaged.
func LoadSnapshot(f vfs.FS, dir string, id SnapshotID) (*metadata.Image, Voters, error) {
	return loadSnapshot(f, dir, id, "")
}

func loadSnapshot(f vfs.FS, dir string, id SnapshotID, suffix string) (*metadata.Image, Voters, error) {
	delta := metadata.NewDelta(metadata.Empty())
	var members Voters
	var timestamp int64
	err := readSnapshot(f, dir, id, suffix, func(d *Batch) error {
		if d.Header != nil {
			timestamp = d.Header.LastContainedLogTimestamp
		}
		members.Note(d)
		for _, r := range d.Records {
			if err := delta.Replay(r); err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, Voters{}, err
	}
	return delta.Apply(id.EndOffset-1, id.Epoch, timestamp), members, nil
}

// WriteSnapshot writes records as the snapshot id, after a header that carries timestamp and the membership, so that
// a crash leaves the whole file or none. The bootstrap file has the same form.
func WriteSnapshot(f vfs.FS, dir string, id SnapshotID, timestamp, now int64, members Voters, records func(func(metadata.Record) bool)) error {
	w := &snapshotWriter{id: id, now: now}
	name := path.Join(dir, id.String())
	temp := name + partSuffix
	file, err := f.Create(temp)
	if err != nil {
		return err
	}
	w.file = file
	w.control(append([]ControlRecord{{record.SnapshotHeader, &schema.SnapshotHeaderRecord{LastContainedLogTimestamp: timestamp}}}, members.Records()...)...)
	var chunk []metadata.Record
	for r := range records {
		if chunk = append(chunk, r); len(chunk) == snapshotRecords {
			w.data(chunk)
			chunk = chunk[:0]
		}
		if w.err != nil {
			break
		}
	}
	w.data(chunk)
	w.control(ControlRecord{record.SnapshotFooter, &schema.SnapshotFooterRecord{}})
	w.flush()
	if w.err == nil {
		w.err = file.Sync()
	}
	if err := file.Close(); w.err == nil {
		w.err = err
	}
	if w.err == nil {
		w.err = f.Rename(temp, name)
	}
	if w.err != nil {
		return fmt.Errorf("write %s: %w", name, w.err)
	}
	return f.SyncDir(dir)
}

// snapshotWriter writes batches with a sticky error.
type snapshotWriter struct {
	id   SnapshotID
	now  int64
	file io.WriterAt
	enc  Encoder
	buf  []byte
	at   int64
	next kafka.Offset // of the next record within the file: snapshots count from 0
	err  error
}

func (w *snapshotWriter) control(records ...ControlRecord) {
	if w.err == nil {
		w.buf, w.err = w.enc.Control(w.buf, w.next, w.id.Epoch, w.now, records...)
		w.next += kafka.Offset(len(records))
	}
}

func (w *snapshotWriter) data(records []metadata.Record) {
	if w.err != nil || len(records) == 0 {
		return
	}
	w.buf, w.err = w.enc.Data(w.buf, w.next, w.id.Epoch, w.now, records)
	w.next += kafka.Offset(len(records))
	if len(w.buf) >= snapshotBuffer {
		w.flush()
	}
}

func (w *snapshotWriter) flush() {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.file.WriteAt(w.buf, w.at)
		w.at += int64(len(w.buf))
		w.buf = w.buf[:0]
	}
}
