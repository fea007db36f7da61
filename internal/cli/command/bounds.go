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
