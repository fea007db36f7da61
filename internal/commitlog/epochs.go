package commitlog

import (
	"slices"
	"sort"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
)

// epochs are the leader epochs of a log with their start offsets, both rising. A value never changes: readers keep what they have.
type epochs []checkpoint.Epoch

// assign returns the epochs with one more, and without those that contradict it: of the same or a later epoch, or that start at or after it.
func (e epochs) assign(epoch kafka.LeaderEpoch, start kafka.Offset) (epochs, bool) {
	if n := len(e); n > 0 && e[n-1].Epoch == epoch && e[n-1].Start <= start {
		return e, false
	}
	keep := len(e)
	for keep > 0 && (e[keep-1].Epoch >= epoch || e[keep-1].Start >= start) {
		keep--
	}
	return append(slices.Clip(slices.Clone(e[:keep])), checkpoint.Epoch{Epoch: epoch, Start: start}), true
}

// truncateEnd returns the epochs that start below end.
func (e epochs) truncateEnd(end kafka.Offset) (epochs, bool) {
	n := sort.Search(len(e), func(i int) bool { return e[i].Start >= end })
	return e[:n:n], n < len(e)
}

// truncateStart returns the epochs of offsets from start on: the one that start lies in begins there.
func (e epochs) truncateStart(start kafka.Offset) (epochs, bool) {
	n := sort.Search(len(e), func(i int) bool { return e[i].Start > start })
	if n == 0 || n == 1 && e[0].Start == start {
		return e, false
	}
	kept := slices.Clone(e[n-1:])
	kept[0].Start = start
	return kept, true
}

func (e epochs) latest() kafka.LeaderEpoch {
	if len(e) == 0 {
		return kafka.NoEpoch
	}
	return e[len(e)-1].Epoch
}

// end returns the largest epoch at or below the asked one, and where it ends. Of an epoch before all known ones it answers the
// asked epoch and where the known ones begin, and of one after them nothing (KIP-279, KIP-320).
func (e epochs) end(epoch kafka.LeaderEpoch, logEnd kafka.Offset) (kafka.LeaderEpoch, kafka.Offset) {
	if epoch == kafka.NoEpoch || len(e) == 0 {
		return kafka.NoEpoch, kafka.NoOffset
	}
	if e.latest() == epoch {
		return epoch, logEnd
	}
	higher := sort.Search(len(e), func(i int) bool { return e[i].Epoch > epoch })
	switch higher {
	case len(e):
		return kafka.NoEpoch, kafka.NoOffset
	case 0:
		return epoch, e[0].Start
	default:
		return e[higher-1].Epoch, e[higher].Start
	}
}

// at returns the epoch of an offset.
func (e epochs) at(offset kafka.Offset) kafka.LeaderEpoch {
	n := sort.Search(len(e), func(i int) bool { return e[i].Start > offset })
	if n == 0 {
		return kafka.NoEpoch
	}
	return e[n-1].Epoch
}
