package node

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
)

// block is a run of producer ids that the controller gave this broker.
type block struct {
	next, end kafka.ProducerID // end is exclusive
}

// producerIDs hands out the ids of blocks. A block that is not used up when the node stops is lost: an id is never
// given twice.
type producerIDs struct {
	allocate func() (block, error)

	mu     sync.Mutex // a leaf; guards what follows
	left   block
	coming *allocation // the one that is asked for
}

// allocation is the asking for a block, for all who wait for it: each block is a record of the metadata log.
type allocation struct {
	done chan struct{} // closed when the block is there, or err is
	err  error
}

// Next implements api.ProducerIDs.
func (p *producerIDs) Next() (kafka.ProducerID, error) {
	for {
		id, coming, first := p.take()
		if coming == nil {
			return id, nil
		}
		if first {
			p.refill(p.allocate())
		}
		if <-coming.done; coming.err != nil {
			return kafka.NoProducerID, coming.err
		}
	}
}

// take takes an id. Without one it returns what to wait for, and whether the caller is the first, who then has to refill.
func (p *producerIDs) take() (id kafka.ProducerID, coming *allocation, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.left.next != p.left.end:
		p.left.next++
		return p.left.next - 1, nil, false
	case p.coming != nil:
		return 0, p.coming, false
	}
	p.coming = &allocation{done: make(chan struct{})}
	return 0, p.coming, true
}

func (p *producerIDs) refill(fresh block, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.left = fresh
	}
	p.coming.err = err
	close(p.coming.done)
	p.coming = nil
}

// allocateProducerIDs has the controller give this broker a block.
func (m *membership) allocateProducerIDs() (block, error) {
	req := kmsg.NewPtrAllocateProducerIDsRequest()
	req.BrokerID, req.BrokerEpoch = int32(m.n.cfg.ID), m.epoch.Load()
	ctx, cancel := context.WithTimeout(m.n.life, m.n.cfg.Network.RequestTimeout)
	defer cancel()
	resp, err := quorum.Do[*kmsg.AllocateProducerIDsResponse](ctx, m.n.forwarding, controller.AllocateProducerIDs{Request: req})
	if err != nil {
		return block{}, fmt.Errorf("%w: %w", err, kerr.CoordinatorLoadInProgress)
	}
	start := kafka.ProducerID(resp.ProducerIDStart)
	return block{start, start + kafka.ProducerID(resp.ProducerIDLen)}, kerr.ErrorForCode(resp.ErrorCode)
}
