package inspect

import (
	"errors"
	"fmt"
	"io"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
)

// Image reads a segment of the metadata log, or a snapshot, from its start and returns the state of the cluster at its end. A torn end is
// passed over; the error wraps ErrDamaged where something else can't be read, and the image is that before it.
func Image(r io.ReaderAt, size int64) (*metadata.Image, error) {
	loader := metadata.NewLoader(metadata.Empty())
	var w record.Walker
	defer w.Close()
	var failed error
	_, err := scan(r, size, func(position int64, b record.Batch) {
		if failed != nil {
			return
		}
		if failed = b.CheckCRC(); failed == nil {
			failed = replay(loader, &w, b)
		}
		if failed != nil {
			failed = fmt.Errorf("position %d: %w: %w", position, ErrDamaged, failed)
		}
	})
	if err != nil && !errors.Is(err, record.ErrShort) && failed == nil {
		failed = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return loader.Image(), failed
}

func replay(l *metadata.Loader, w *record.Walker, b record.Batch) error {
	if b.IsControl() {
		return nil
	}
	batch := metadata.Batch{Offset: b.LastOffset(), Epoch: b.LeaderEpoch(), Timestamp: b.MaxTimestamp()}
	w.Reset(b, unpackLimit)
	for w.Next() {
		rec, _, err := schema.ParseMetadata(w.Record.Value)
		if err != nil {
			return fmt.Errorf("record at offset %d: %w", b.BaseOffset()+kafka.Offset(w.Record.OffsetDelta), err)
		}
		batch.Records = append(batch.Records, rec)
	}
	if err := w.Err(); err != nil {
		return err
	}
	_, err := l.Replay(batch)
	return err
}
