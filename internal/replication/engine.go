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
	sources sources
}

// New makes an engine that follows nothing.
func New(o Options) *Engine {
	e := &Engine{o: o, alters: newAlters()}
	e.life, e.end = context.WithCancel(context.Background())
	e.sources = newSources(e.life)
	e.running.Go(e.runAlters)
	return e
}

// Close ends all fetches; nothing of the engine runs when it returns.
func (e *Engine) Close() {
	e.end()
	e.running.Wait()
}

// Moved looks whom partitions follow now, and has them fetched from there, or not at all: all at once, for what comes late to a node has to wait for the
// answer to what was asked there first. It does not block.
func (e *Engine) Moved(all []*partition.Partition) {
	for _, fresh := range e.sources.moved(&e.o, all) {
		if e.life.Err() == nil {
			e.running.Go((&fetcher{e: e, source: fresh}).run)
		}
	}
}
