package replication

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/quorum"
)

// Limits are the bounds of fetches; sizes are bytes.
type Limits struct {
	MaxWait           time.Duration // replica.fetch.wait.max.ms
	MinBytes          int32         // replica.fetch.min.bytes
	MaxBytes          int32         // replica.fetch.response.max.bytes
	MaxPartitionBytes int32         // replica.fetch.max.bytes
	Backoff           time.Duration // replica.fetch.backoff.ms; the longest pause after a failure
	Timeout           time.Duration // replica.socket.timeout.ms, beyond MaxWait
}

// Options say who follows whom, and how.
type Options struct {
	Self kafka.NodeID
	// Epoch is the broker epoch of this node, kafka.NoBrokerEpoch until it is registered.
	Epoch func() kafka.BrokerEpoch
	// Dial connects to another broker.
	Dial func(context.Context, kafka.NodeID) (net.Conn, error)
	// Controller is asked for in-sync sets.
	Controller quorum.Controller
	Limits     Limits
	Now        func() time.Time
	Log        *slog.Logger
}

// Engine follows. Make it with New; Close it.
type Engine struct {
	o       Options
	life    context.Context
	end     context.CancelFunc
	running sync.WaitGroup
	alters  alters

	mu       sync.Mutex // a leaf: guards the fields below and what fetchers follow
	fetchers map[kafka.NodeID]*fetcher
	followed map[*partition.Partition]*fetcher
}

// New makes an engine that follows nothing.
func New(o Options) *Engine {
	e := &Engine{o: o, fetchers: make(map[kafka.NodeID]*fetcher), followed: make(map[*partition.Partition]*fetcher)}
	e.alters.wake = make(chan struct{}, 1)
	e.life, e.end = context.WithCancel(context.Background())
	e.running.Go(e.runAlters)
	return e
}

// Close ends all fetches; nothing of the engine runs when it returns.
func (e *Engine) Close() {
	e.end()
	e.running.Wait()
}

// Moved looks whom a partition follows now, and has it fetched from there, or not at all. It does not block.
func (e *Engine) Moved(p *partition.Partition) {
	leader := kafka.NoNode
	if _, ok := p.Fetching(); ok {
		leader = p.Leadership().Leader
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.followed[p]
	if before != nil && before.leader != leader {
		delete(before.partitions, p)
		delete(e.followed, p)
	}
	if leader == kafka.NoNode || e.life.Err() != nil {
		return
	}
	f := e.fetchers[leader]
	if f == nil {
		f = &fetcher{e: e, leader: leader, wake: make(chan struct{}, 1), partitions: make(map[*partition.Partition]*followed)}
		e.fetchers[leader] = f
		e.running.Go(f.run)
	}
	f.partitions[p] = follow(p)
	e.followed[p] = f
	f.look()
}
