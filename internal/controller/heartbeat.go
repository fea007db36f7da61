package controller

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// brokerState is where a broker stands. The legal steps:
//
//	fenced → unfenced            it has read its own registration and does not want to be fenced
//	unfenced → fenced            it asks for it, or its session ends
//	unfenced → shuttingDown      it wants to go and leads partitions
//	fenced, unfenced, shuttingDown → gone   it wants to go, leads nothing, and the others know
type brokerState int8

const (
	fenced brokerState = iota
	unfenced
	shuttingDown
	gone
)

func (h Heartbeat) handle(c *Controller, t turn) (Result, error) {
	req := h.Request
	response := kmsg.NewPtrBrokerHeartbeatResponse()
	response.Version = req.Version
	b := c.Image().Cluster.Broker(kafka.NodeID(req.BrokerID))
	if b == nil || b.Epoch != kafka.BrokerEpoch(req.BrokerEpoch) {
		response.ErrorCode = kerr.StaleBrokerEpoch.Code
		response.IsFenced = true
		return Result{Response: response}, nil
	}
	var out records
	now, next := c.nextState(b, req)
	if now != next {
		switch next {
		case fenced, gone:
			c.fence(&out, b)
		case unfenced:
			c.unfence(&out, b)
		case shuttingDown:
			c.beginShutdown(&out, b)
		}
	}
	s := c.touch(b.ID, t.now, kafka.Offset(req.CurrentMetadataOffset))
	if next == shuttingDown && s.shutdownAt == kafka.NoOffset {
		s.shutdownAt = t.next + kafka.Offset(len(out)) - 1
	}
	c.directoriesOffline(&out, b, req.OfflineLogDirs)
	c.directoriesCordoned(&out, b, req.CordonedLogDirs)
	response.IsCaughtUp = s.offset >= c.registered[b.ID]
	response.IsFenced = next == fenced || next == gone
	response.ShouldShutdown = next == gone
	return Result{Records: out, Response: response}, nil
}

// nextState decides from what the broker wants and what the cluster still needs of it.
func (c *Controller) nextState(b *metadata.Broker, req *kmsg.BrokerHeartbeatRequest) (now, next brokerState) {
	s := c.sessions[b.ID]
	switch {
	case b.Fenced:
		switch {
		case req.WantShutdown:
			return fenced, gone
		case !req.WantFence && kafka.Offset(req.CurrentMetadataOffset) >= c.registered[b.ID]:
			return fenced, unfenced
		}
		return fenced, fenced
	case s != nil && s.shutdownAt != kafka.NoOffset:
		if !c.leads(b.ID) && s.shutdownAt <= c.lowestOffset() {
			return shuttingDown, gone
		}
		return shuttingDown, shuttingDown
	case req.WantFence && req.WantShutdown:
		return unfenced, gone
	case req.WantFence:
		return unfenced, fenced
	case req.WantShutdown && c.leads(b.ID):
		return unfenced, shuttingDown
	case req.WantShutdown:
		return unfenced, gone
	}
	return unfenced, unfenced
}

// leads reports whether a broker leads any partition.
func (c *Controller) leads(id kafka.NodeID) bool {
	for t := range c.Image().Topics.All() {
		for _, p := range t.Partitions {
			if p.Leader == id {
				return true
			}
		}
	}
	return false
}

// fence takes a broker out of all in-sync sets and marks it.
func (c *Controller) fence(out *records, b *metadata.Broker) {
	c.reelect(out, leaves(b.ID), inISR(b.ID))
	out.add(&schema.BrokerRegistrationChangeRecord{BrokerID: int32(b.ID), BrokerEpoch: int64(b.Epoch), Fenced: 1}, 0)
}

// unfence marks a broker and lets it lead what has no leader.
func (c *Controller) unfence(out *records, b *metadata.Broker) {
	out.add(&schema.BrokerRegistrationChangeRecord{BrokerID: int32(b.ID), BrokerEpoch: int64(b.Epoch), Fenced: -1}, 0)
	c.reelect(out, joins(b.ID), leaderless)
}

// beginShutdown moves leaderships away from a broker that wants to go.
func (c *Controller) beginShutdown(out *records, b *metadata.Broker) {
	if !b.InControlledShutdown {
		out.add(&schema.BrokerRegistrationChangeRecord{
			BrokerID: int32(b.ID), BrokerEpoch: int64(b.Epoch), InControlledShutdown: 1,
		}, 1)
	}
	c.reelect(out, leaves(b.ID), inISR(b.ID))
}

// directoriesOffline takes the replicas in failed directories out of their in-sync sets (KIP-858).
func (c *Controller) directoriesOffline(out *records, b *metadata.Broker, offline [][16]byte) {
	if !metadata.HasDirectories(c.level()) {
		return
	}
	var failed, online []kafka.UUID
	for _, dir := range b.Directories {
		if slices.Contains(offline, [16]byte(dir)) {
			failed = append(failed, dir)
		} else {
			online = append(online, dir)
		}
	}
	if len(failed) == 0 {
		return
	}
	c.reelect(out, leaves(b.ID), func(p *metadata.Partition) bool {
		dir, ok := p.Directory(b.ID)
		return ok && slices.Contains(failed, dir)
	})
	out.add(&schema.BrokerRegistrationChangeRecord{BrokerID: int32(b.ID), BrokerEpoch: int64(b.Epoch), LogDirs: online}, 2)
}

// directoriesCordoned notes which directories take no new replicas (KIP-1066). The first report of none is noted
// too: it tells a broker that has none from one that cannot say.
func (c *Controller) directoriesCordoned(out *records, b *metadata.Broker, cordoned [][16]byte) {
	if !metadata.HasCordonedDirectories(c.level()) || cordoned == nil {
		return
	}
	dirs := directories(cordoned)
	if b.CordonedKnown && slices.Equal(dirs, b.Cordoned) {
		return
	}
	out.add(&schema.BrokerRegistrationChangeRecord{
		BrokerID: int32(b.ID), BrokerEpoch: int64(b.Epoch), CordonedLogDirs: dirs,
	}, 3)
}
