package command

import (
	"github.com/twmb/franz-go/pkg/kadm"
)

// PartitionKey names a partition.
type PartitionKey struct {
	Topic     string
	Partition int32
}

// Bounds are the offsets of all partitions that a range may refer to.
type Bounds struct {
	Starts, Ends kadm.ListedOffsets
	From, To     kadm.ListedOffsets // of moments
}

// Listed is the offset that was listed for a partition.
func (k PartitionKey) Listed(l kadm.ListedOffsets) (int64, error) {
	o, ok := l.Lookup(k.Topic, k.Partition)
	if !ok {
		return 0, ErrNotMentioned
	}
	return o.Offset, o.Err
}

// Of are the first offset of a partition, and the one behind its last.
func (b Bounds) Of(k PartitionKey) (first, last int64, err error) {
	if first, err = k.Listed(b.Starts); err != nil {
		return 0, 0, err
	}
	last, err = k.Listed(b.Ends)
	return first, last, err
}
