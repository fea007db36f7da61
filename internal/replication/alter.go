package replication

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/replica"
)

// pauseAfterAlter is the pause after an AlterPartition that has to be asked again.
const pauseAfterAlter = 50 * time.Millisecond

// alters are the proposals that wait for the request that is on its way.
type alters struct {
	wake chan struct{} // holds one: there are proposals

	mu      sync.Mutex // a leaf: guards waiting
	waiting []partition.Proposed
}

func newAlters() alters { return alters{wake: make(chan struct{}, 1)} }

// Propose has the controller asked for an in-sync set. It does not block.
func (e *Engine) Propose(p partition.Proposed) { e.alters.add(p) }

func (a *alters) add(p partition.Proposed) {
	a.mu.Lock()
	a.waiting = append(a.waiting, p)
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// take returns the proposals that wait, by topic, the newest of each partition.
func (a *alters) take() []partition.Proposed {
	a.mu.Lock()
	all := a.waiting
	a.waiting = nil
	a.mu.Unlock()
	newest := make(map[*partition.Partition]partition.Proposed, len(all))
	for _, p := range all {
		newest[p.Partition] = p
	}
	all = slices.DeleteFunc(all, func(p partition.Proposed) bool { return newest[p.Partition] != p })
	slices.SortFunc(all, func(a, b partition.Proposed) int {
		x, y := a.Partition.ID(), b.Partition.ID()
		return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Partition, y.Partition))
	})
	return all
}

func (e *Engine) runAlters() {
	for {
		select {
		case <-e.life.Done():
			return
		case <-e.alters.wake:
		}
		if all := e.alters.take(); len(all) > 0 && !e.alter(all) && peer.Pause(e.life, pauseAfterAlter) != nil {
			return
		}
	}
}

// alter asks once, and tells the partitions. It reports whether nothing has to be asked again as it was.
func (e *Engine) alter(all []partition.Proposed) bool {
	ctx, cancel := context.WithTimeout(e.life, e.o.Limits.Timeout)
	defer cancel()
	resp, err := quorum.Do[*kmsg.AlterPartitionResponse](ctx, e.o.Controller, e.o.alteration(all))
	return e.o.altered(all, resp, err)
}

// altered tells the partitions what the controller said, and reports as alter does.
func (o *Options) altered(all []partition.Proposed, resp *kmsg.AlterPartitionResponse, err error) bool {
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	now := o.Now()
	if err != nil {
		o.Log.Warn("the controller did not take in-sync sets", "partitions", len(all), "err", err)
		for _, p := range all {
			p.Partition.Altered(now, p.Proposal, replica.Leadership{}, err)
		}
		return false
	}
	settled := true
	for _, p := range all {
		l, err := answered(resp, p.Partition)
		if p.Partition.Altered(now, p.Proposal, l, err) {
			settled = false
		}
	}
	return settled
}

// alteration asks the controller for in-sync sets.
func (o *Options) alteration(all []partition.Proposed) controller.AlterPartition {
	req := kmsg.NewPtrAlterPartitionRequest()
	req.SetVersion(req.MaxVersion())
	req.BrokerID, req.BrokerEpoch = int32(o.Self), int64(o.Epoch())
	for _, x := range all {
		if n := len(req.Topics); n == 0 || req.Topics[n-1].TopicID != x.Partition.TopicID() {
			t := kmsg.NewAlterPartitionRequestTopic()
			t.TopicID = x.Partition.TopicID()
			req.Topics = append(req.Topics, t)
		}
		p := kmsg.NewAlterPartitionRequestTopicPartition()
		p.Partition, p.LeaderEpoch, p.PartitionEpoch = x.Partition.ID().Partition, int32(x.Proposal.LeaderEpoch), int32(x.Proposal.PartitionEpoch)
		for _, m := range x.Proposal.ISR {
			n := kmsg.NewAlterPartitionRequestTopicPartitionNewEpochISR()
			n.BrokerID, n.BrokerEpoch = int32(m.ID), int64(m.Epoch)
			p.NewEpochISR, p.NewISR = append(p.NewEpochISR, n), append(p.NewISR, int32(m.ID)) // version 2 has no epochs
		}
		t := &req.Topics[len(req.Topics)-1]
		t.Partitions = append(t.Partitions, p)
	}
	return controller.AlterPartition{Request: req}
}

// answered finds what the controller said of a partition. One that it left out was not attempted.
func answered(resp *kmsg.AlterPartitionResponse, p *partition.Partition) (replica.Leadership, error) {
	for _, t := range resp.Topics {
		if t.TopidID != p.TopicID() {
			continue
		}
		for _, a := range t.Partitions {
			if a.Partition != p.ID().Partition {
				continue
			}
			l := replica.Leadership{
				Leader: kafka.NodeID(a.LeaderID), LeaderEpoch: kafka.LeaderEpoch(a.LeaderEpoch), PartitionEpoch: kafka.PartitionEpoch(a.PartitionEpoch),
			}
			for _, id := range a.ISR {
				l.ISR = append(l.ISR, kafka.NodeID(id))
			}
			return l, kerr.ErrorForCode(a.ErrorCode)
		}
	}
	return replica.Leadership{}, kerr.OperationNotAttempted
}
