package metadata

import (
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// Batch is one record batch of the metadata log, decoded. A control batch has no records.
type Batch struct {
	// Offset is the last offset of the batch.
	Offset kafka.Offset
	// Epoch is the batch's leader epoch.
	Epoch kafka.LeaderEpoch
	// Timestamp is the batch's timestamp in milliseconds.
	Timestamp int64
	Records   []schema.MetadataRecord
}

// Change is a step from one image to the next. Delta.Base() is the image before.
type Change struct {
	Delta *Delta
	Image *Image
}

// Loader turns batches into images. It holds back the records of an open transaction (KIP-868) until its end, and
// drops them when it is aborted; inside a transaction the image stays where it was.
type Loader struct {
	image *Image
	open  *Delta // the transaction in progress, or nil
}

// NewLoader continues after image.
func NewLoader(image *Image) *Loader { return &Loader{image: image} }

// Fork returns a loader that continues from the same state on its own. If a transaction is open, only one of the two
// may add to it; the other may end or abort it.
func (l *Loader) Fork() *Loader {
	fork := *l
	return &fork
}

// Image is the newest image.
func (l *Loader) Image() *Image { return l.image }

// InTransaction reports whether a transaction has begun and not ended.
func (l *Loader) InTransaction() bool { return l.open != nil }

// Replay applies a batch and returns the step it leads to. Inside a transaction the step's image keeps the offset
// of the last record before the transaction, and the delta is empty. After an error the loader must be dropped.
func (l *Loader) Replay(b Batch) (Change, error) {
	fresh := NewDelta(l.image)
	target := fresh
	if l.open != nil {
		target = l.open
	}
	for i, r := range b.Records {
		next, err := l.step(fresh, target, r)
		if err != nil {
			return Change{}, fmt.Errorf("metadata record at offset %d: %w", b.Offset-kafka.Offset(len(b.Records)-1-i), err)
		}
		target = next
	}
	if l.open = nil; target.inTransaction {
		l.open = target
		return Change{Delta: fresh, Image: l.image}, nil
	}
	l.image = target.Apply(b.Offset, b.Epoch, b.Timestamp)
	return Change{Delta: target, Image: l.image}, nil
}

// step applies one record to target and returns the delta that the next record goes to; fresh is the batch's own.
func (l *Loader) step(fresh, target *Delta, r schema.MetadataRecord) (*Delta, error) {
	switch r.(type) {
	case *schema.BeginTransactionRecord:
		if target.inTransaction {
			return nil, fmt.Errorf("%w: a transaction inside a transaction", ErrReplay)
		}
		if !target.Empty() {
			return nil, fmt.Errorf("%w: a transaction begins after other records of its batch", ErrReplay)
		}
		begun := NewDelta(l.image)
		begun.inTransaction = true
		return begun, nil
	case *schema.EndTransactionRecord:
		if !target.inTransaction {
			return nil, fmt.Errorf("%w: the end of no transaction", ErrReplay)
		}
		target.inTransaction = false
		return target, nil
	case *schema.AbortTransactionRecord:
		if !target.inTransaction {
			return nil, fmt.Errorf("%w: the end of no transaction", ErrReplay)
		}
		return fresh, nil
	}
	return target, target.Replay(r)
}
