package replication

import (
	"errors"
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
)

// doubt is what a follower thinks of gaps in what a leader's node sends. One that nothing explains is believed if the leader's log goes on behind it,
// by another question, and the same comes once more; then so are those up to that end: the log was compacted once.
type doubt struct {
	gap      *partition.GapError // the leader is to be asked about it
	believed *partition.GapError // the leader was
	end      kafka.Offset        // of the leader's log, as it was said about the gap
	sure     kafka.Offset        // below it gaps are taken
}

// after takes in the outcome of an append, after which the log ends at end, and returns it without a gap that is nobody's fault. It reports whether the
// leader is to be asked about a gap; one who says something else each time is not.
func (d *doubt) after(err error, end kafka.Offset) (ask bool, rest error) {
	believed := d.believed
	d.believed = nil
	came := believed != nil && end > believed.Last
	if came && believed.Base > believed.Next {
		d.sure = d.end
	}
	var gap *partition.GapError
	switch {
	case !errors.As(err, &gap) || believed != nil && !came:
		return false, err
	case gap.Last < d.sure:
		return false, nil
	}
	d.gap = gap
	return true, nil
}

// weighed takes in where the leader's log ends.
func (d *doubt) weighed(end kafka.Offset) error {
	gap := d.gap
	if d.gap = nil; gap.Last >= end {
		return fmt.Errorf("the leader's log ends at %d: %w", end, gap)
	}
	d.believed, d.end = gap, end
	return nil
}
