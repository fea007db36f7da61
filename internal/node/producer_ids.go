package node

import (
	"sync"

	"github.com/ottla/ottla/internal/kafka"
)

// block is a run of producer ids that the controller gave this broker.
type block struct {
	next, end kafka.ProducerID // end is exclusive
}

// producerIDs hands out the ids of blocks. A block that is not used up when the node stops is lost: an id is never
// given twice.
type producerIDs struct {
	allocate func() (block, error)

	mu   sync.Mutex // guards left
	left block
}

// Next implements api.ProducerIDs.
func (p *producerIDs) Next() (kafka.ProducerID, error) {
	for {
		if id, ok := p.take(); ok {
			return id, nil
		}
		fresh, err := p.allocate()
		if err != nil {
			return kafka.NoProducerID, err
		}
		p.refill(fresh)
	}
}

func (p *producerIDs) take() (kafka.ProducerID, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left.next == p.left.end {
		return 0, false
	}
	id := p.left.next
	p.left.next++
	return id, true
}

// refill takes a block unless another goroutine was faster; that one's rest would be lost else.
func (p *producerIDs) refill(fresh block) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left.next == p.left.end {
		p.left = fresh
	}
}
