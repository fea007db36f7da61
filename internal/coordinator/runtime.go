package coordinator

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/shard"
)

// Options say what a Runtime runs, and where.
type Options struct {
	Self kafka.NodeID
	// Topic is the internal topic.
	Topic string
	// NewCore returns a core that has replayed nothing, for one partition. Required.
	NewCore    func() shard.Core
	Partitions *partition.Manager
	Purgatory  *purgatory.Purgatory
	// Timeout is how long a reply waits for its high watermark; 5 s by default.
	Timeout time.Duration
	// LoadBytes is how much of the log is read at a time; 5 MiB by default.
	LoadBytes int
	// MaxDecompressed bounds what a record of the log decompresses to, in bytes; 100 MiB by default.
	MaxDecompressed int
	Codec           compress.Codec
	Now             func() time.Time
	// Stepped runs no loops: Step does, whenever it is called.
	Stepped bool
	Log     *slog.Logger
}

func (o *Options) setDefaults() {
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	o.LoadBytes = cmp.Or(o.LoadBytes, 5<<20)
	o.MaxDecompressed = cmp.Or(o.MaxDecompressed, 100<<20)
}

// Runtime runs the cores of one topic. Its methods may be called concurrently, Apply from one goroutine.
type Runtime struct {
	o       Options
	loops   atomic.Pointer[[]*loop] // by partition, nil where others lead
	running sync.WaitGroup
	stopped atomic.Bool
	stepped []*loop // in the order in which they began; those that end are in it until they have
}

// NewRuntime returns a runtime without partitions.
func NewRuntime(o Options) *Runtime {
	o.setDefaults()
	r := &Runtime{o: o}
	r.loops.Store(new([]*loop))
	return r
}

// Apply follows the metadata log: it begins and ends loops, and hands them the image. The partitions have followed it
// before. It does not block.
func (r *Runtime) Apply(delta *metadata.Delta, image *metadata.Image) {
	if r.stopped.Load() {
		return
	}
	before := *r.loops.Load()
	topic := image.Topics.ByName(r.o.Topic)
	var next []*loop
	if topic != nil {
		next = make([]*loop, len(topic.Partitions))
	}
	for i, p := range partitionsOf(topic) {
		if p.Leader != r.o.Self {
			continue
		}
		if i < len(before) && before[i] != nil && before[i].leads(topic.ID, p.LeaderEpoch) {
			next[i] = before[i]
			continue
		}
		next[i] = r.begin(topic.ID, p, image)
	}
	r.loops.Store(&next)
	for i, l := range before {
		switch {
		case l == nil:
		case i >= len(next) || next[i] != l:
			l.stop()
		case len(delta.Topics()) > 0 || len(delta.Brokers()) > 0:
			l.refresh(image)
		}
	}
}

func partitionsOf(t *metadata.Topic) []*metadata.Partition {
	if t == nil {
		return nil
	}
	return t.Partitions
}

// begin starts the loop of a partition; nil if its log can't be had.
func (r *Runtime) begin(topic kafka.TopicID, p *metadata.Partition, image *metadata.Image) *loop {
	log, err := r.o.Partitions.GetByID(topic, p.ID)
	if err != nil {
		r.o.Log.Error("a coordinator's partition can't be used", "topic", r.o.Topic, "partition", p.ID, "err", err)
		return nil
	}
	l := newLoop(&r.o, log, p.LeaderEpoch, image)
	if r.o.Stepped {
		r.stepped = append(r.stepped, l)
	} else {
		r.running.Go(l.run)
	}
	return l
}

// Submit hands a command to the core of a partition. Done is called once, with the core's reply or an error, on a goroutine
// that must not be blocked. Errors are kerr.NotCoordinator, CoordinatorLoadInProgress, CoordinatorNotAvailable and, for a
// turn that can't be written, UnknownServerError.
func (r *Runtime) Submit(partition int32, cmd any, done func(resp any, err error)) {
	loops := *r.loops.Load()
	switch {
	case r.stopped.Load():
		done(nil, kerr.CoordinatorNotAvailable)
	case partition < 0 || int(partition) >= len(loops) || loops[partition] == nil:
		done(nil, kerr.NotCoordinator)
	default:
		loops[partition].submit(command{cmd, done})
	}
}

// Step does all that the loops have to do, in the caller's goroutine, and returns when it wants to be called again at the latest, the zero time
// for never. Only with Options.Stepped, from the goroutine that calls Apply.
func (r *Runtime) Step(now time.Time) time.Time {
	var first time.Time
	r.stepped = slices.DeleteFunc(r.stepped, func(l *loop) bool {
		next, more := l.step(now)
		if first.IsZero() || !next.IsZero() && next.Before(first) {
			first = next
		}
		return !more
	})
	return first
}

// Led are the partitions that this node leads, ascending.
func (r *Runtime) Led() []int32 {
	var led []int32
	for i, l := range *r.loops.Load() {
		if l != nil {
			led = append(led, int32(i))
		}
	}
	return led
}

// Stop ends all loops and returns when every command is answered. Later ones are answered at once.
func (r *Runtime) Stop() {
	r.stopped.Store(true)
	for _, l := range *r.loops.Load() {
		if l != nil {
			l.stop()
		}
	}
	r.running.Wait()
}
