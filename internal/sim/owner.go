package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/sim/check"
)

// owner is what members of groups of both kinds do with the partitions that they were given: they commit ever greater offsets, whatever they have
// heard of the group meanwhile. Now and then one sends no heartbeats for a while, and goes on committing: another one has its partitions then, and its
// commits must be refused.
type owner struct {
	grouped
	name   string // in the trace
	id     string
	epoch  int32 // or generation; 0 while it is no member
	owned  []int32
	next   map[int32]kafka.Offset
	silent time.Duration // until then
	calmed bool          // a heartbeat was answered when all was calm
}

func newOwner(w *World, number int, group string) owner {
	return owner{grouped: newGrouped(w, number, group), name: fmt.Sprintf("member-%d", number), next: map[int32]kafka.Offset{}}
}

func (o *owner) idle() bool { return o.calmed }

// quiet reports whether it sends no heartbeats, and draws when it does not.
func (o *owner) quiet() bool {
	w := o.w
	if !w.over() && o.epoch > 0 && w.chance(0.02) {
		w.sometimes("member silent")
		o.silent = w.now + w.between(time.Second, 5*time.Second)
	}
	return w.now < o.silent && !w.calm
}

// given takes in which partitions it has, and notes that in the history. Where it goes on with those that it did not have has to be asked.
func (o *owner) given(partitions []int32, keeps bool) {
	for _, p := range partitions {
		if !keeps || !slices.Contains(o.owned, p) {
			delete(o.next, p)
		}
		o.w.history.Owned = append(o.w.history.Owned, check.Owned{Group: o.group, Generation: o.epoch, Partition: kafka.TopicPartition{Topic: topicName, Partition: p}, Member: o.name})
	}
	o.owned = partitions
	o.w.tell("%s of epoch %d has %v", o.name, o.epoch, partitions)
}

// work commits an offset of something that is owned, or asks where to go on.
func (o *owner) work() {
	w := o.w
	if w.over() {
		return
	}
	again := func() { w.after(w.between(5*time.Millisecond, 100*time.Millisecond), "", o.work) }
	leader, known := o.leader(o.at)
	if !known || len(o.owned) == 0 || o.epoch == 0 {
		again()
		return
	}
	p, epoch := o.owned[w.rng.IntN(len(o.owned))], o.epoch
	name := kafka.TopicPartition{Topic: topicName, Partition: p}
	next, begun := o.next[p]
	if !begun {
		o.fetch(leader.leader, name, func(at kafka.Offset, err error) {
			if err == nil && epoch == o.epoch {
				o.next[p] = at + 1
			}
			again()
		})
		return
	}
	o.next[p] = next + 1
	o.commit(leader.leader, check.Commit{Partition: name, Member: o.id, Generation: o.epoch, Offset: next + 1}, func(err error) {
		if errors.Is(err, kerr.StaleMemberEpoch) || errors.Is(err, kerr.UnknownMemberID) || errors.Is(err, kerr.IllegalGeneration) {
			w.sometimes("commit of an old member refused")
		}
		again()
	})
}
