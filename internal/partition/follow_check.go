package partition

import (
	"fmt"
	"math"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/record"
)

// GapError says that a batch of a leader's answer is not at the offset that was to come, and nothing explains that: behind a gap, or before the beginning of
// an empty log. Either the log was compacted once and is not any more, or begins within the batch; or its base offset, which its CRC does not cover, is
// not what the leader wrote.
type GapError struct {
	Next       kafka.Offset // what was to come
	Base, Last kafka.Offset // what came; Last is inclusive
}

// Error names the batch and what was to come.
func (e *GapError) Error() string {
	return fmt.Sprintf("a batch of offsets %d to %d, after %d: %v", e.Base, e.Last, e.Next-1, kerr.CorruptMessage)
}

// Unwrap returns kerr.CorruptMessage.
func (e *GapError) Unwrap() error { return kerr.CorruptMessage }

// standing is what of a follower's log bears on where the next batch may lie.
type standing struct {
	compacted bool
	empty     bool
}

// checkFollowed returns the whole batches at the beginning of what was fetched, and what is wrong with the next one; one that is cut short is no
// fault. Base offset and leader epoch lie outside of a batch's CRC, so that they are held against what was asked for.
func checkFollowed(r *FollowRequest, at standing) (whole []byte, err error) {
	rest, next, epoch := r.Records, r.Offset, kafka.LeaderEpoch(0)
	for len(rest) >= record.HeaderSize {
		b, after, err := record.Next(rest)
		switch {
		case err != nil && record.Batch(rest).Size() > len(rest):
			err = nil
		case err != nil:
			err = fmt.Errorf("%w: %w", err, kerr.CorruptMessage)
		default:
			if err = checkCRC(b); err == nil {
				err = r.checkPlace(b, next, epoch, at)
			}
			if err == nil {
				rest, next, epoch = after, b.NextOffset(), b.LeaderEpoch()
				continue
			}
		}
		return r.Records[:len(r.Records)-len(rest)], err
	}
	return r.Records[:len(r.Records)-len(rest)], nil
}

func checkCRC(b record.Batch) error {
	if err := b.CheckCRC(); err != nil && !planted.Bug("fetched-unchecked") {
		return fmt.Errorf("%w: %w", err, kerr.CorruptMessage)
	}
	return nil
}

// checkPlace decides whether a batch can be what comes at offset next, after one of an epoch. Epochs don't fall, and a batch of a later one
// than that of the fetch is not of the leader that was asked.
func (r *FollowRequest) checkPlace(b record.Batch, next kafka.Offset, epoch kafka.LeaderEpoch, at standing) error {
	base, last := b.BaseOffset(), b.LastOffset()
	within := base < next && next == r.Offset && at.empty
	switch {
	case b.LeaderEpoch() > r.LeaderEpoch:
		return fmt.Errorf("a batch of epoch %d, asked in %d: %w", b.LeaderEpoch(), r.LeaderEpoch, kerr.FencedLeaderEpoch)
	case base < 0 || last < base || last == math.MaxInt64, last < next, base < next && !within, b.LeaderEpoch() < epoch:
		return fmt.Errorf("a batch of offsets %d to %d and epoch %d, after %d and epoch %d: %w", base, last, b.LeaderEpoch(), next-1, epoch, kerr.CorruptMessage)
	case base != next && !r.explains(base, last, !within, at.compacted):
		return &GapError{Next: next, Base: base, Last: last}
	}
	return nil
}

// explains reports whether a batch may be where it is: cleaners leave gaps below the high watermark, all else the leader has to say twice.
func (r *FollowRequest) explains(base, last kafka.Offset, gap, compacted bool) bool {
	if planted.Bug("gaps-taken") {
		return true
	}
	return gap && (compacted && base <= r.HighWatermark || last < r.Sure) || r.Believed != nil && base == r.Believed.Base
}
