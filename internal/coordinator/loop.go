package coordinator

import (
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/shard"
)

// command is what a loop was asked, and who is told.
type command struct {
	cmd  any
	done func(resp any, err error)
}

// States of a loop.
const (
	loading  = iota // the core does not stand yet
	serving         // the core stands
	broken          // the log can't be loaded
	stopping        // no command is taken any more
)

// loop runs the core of one partition in one leader epoch. What comes before mu never changes, what comes after the blank
// line behind it belongs to the loop's goroutine.
type loop struct {
	o     *Options
	log   *partition.Partition
	epoch kafka.LeaderEpoch
	wake  chan struct{} // holds one: there is something to do

	mu    sync.Mutex // a leaf; guards what others hand in:
	state int
	queue []command
	image *metadata.Image // newer than what the core has; nil if there is none
	moved bool            // the high watermark that is watched has passed, or the wait for it is over

	core     shard.Core
	seen     *metadata.Image // the newest that was handed in
	next     kafka.Offset    // of the next record that the core gets
	logEnd   kafka.Offset    // of the next record that is appended: the first of the open batch
	damage   error           // of a record that the core could not replay
	tickets  map[shard.Ticket]func(resp any, err error)
	last     shard.Ticket
	batch    batch
	pending  []pending // batches that are appended and not committed, in order
	watching bool      // the first of them is watched
	spare    []command // memory for the queue
}

func newLoop(o *Options, log *partition.Partition, epoch kafka.LeaderEpoch, image *metadata.Image) *loop {
	return &loop{
		o: o, log: log, epoch: epoch, wake: make(chan struct{}, 1), seen: image,
		tickets: make(map[shard.Ticket]func(any, error)),
	}
}

// leads says that the loop is for this life of the topic and this leader epoch.
func (l *loop) leads(topic kafka.TopicID, epoch kafka.LeaderEpoch) bool {
	return l.log.TopicID() == topic && l.epoch == epoch
}

func (l *loop) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// submit queues a command while the core stands.
func (l *loop) submit(c command) {
	l.mu.Lock()
	state := l.state
	if state == serving {
		l.queue = append(l.queue, c)
	}
	l.mu.Unlock()
	switch state {
	case serving:
		l.poke()
	case loading:
		c.done(nil, kerr.CoordinatorLoadInProgress)
	default:
		c.done(nil, kerr.NotCoordinator)
	}
}

func (l *loop) refresh(image *metadata.Image) {
	l.mu.Lock()
	l.image = image
	l.mu.Unlock()
	l.poke()
}

// stop has the loop answer everybody and end.
func (l *loop) stop() {
	l.mu.Lock()
	l.state = stopping
	l.mu.Unlock()
	l.poke()
}

// become changes the state, unless the loop is to end.
func (l *loop) become(state int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != stopping {
		l.state = state
	}
}

func (l *loop) stateNow() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// run is the loop: steps, and rests until somebody pokes or a deadline comes.
func (l *loop) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	timer.Stop()
	for {
		now := l.o.Now()
		next, more := l.step(now)
		if !more {
			return
		}
		if !next.IsZero() {
			timer.Reset(next.Sub(now))
		}
		select {
		case <-l.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// step does all that there is to do. It returns when it wants to be called again at the latest, the zero time for never, and
// false when the loop has ended.
func (l *loop) step(now time.Time) (time.Time, bool) {
	if l.core == nil && l.stateNow() == loading {
		l.load(now)
	}
	commands, image := l.take()
	l.settle(now)
	if image != nil {
		l.seen = image // a core that is not there yet is given it when it is
		l.turn(now, func(t *shard.Turn) { l.core.Refresh(t, image) })
	}
	for _, c := range commands {
		l.handle(now, c)
	}
	if l.due(now) {
		l.turn(now, func(t *shard.Turn) { l.core.Expire(t) })
	}
	l.flush(now)
	l.keep(commands)
	if l.stateNow() == stopping {
		l.end()
		return time.Time{}, false
	}
	l.watch()
	return l.deadline(now), true
}

// take takes the queue and the newest image.
func (l *loop) take() ([]command, *metadata.Image) {
	l.mu.Lock()
	defer l.mu.Unlock()
	commands, image := l.queue, l.image
	l.queue, l.image, l.spare = l.spare, nil, nil
	if l.moved {
		l.moved, l.watching = false, false
	}
	return commands, image
}

// keep keeps the memory of a queue for the next one.
func (l *loop) keep(commands []command) {
	clear(commands)
	if cap(commands) <= 1024 {
		l.spare = commands[:0]
	}
}

// handle runs a command, or answers it when the core has gone since it was queued.
func (l *loop) handle(now time.Time, c command) {
	if l.core == nil {
		c.done(nil, l.absent())
		return
	}
	l.last++
	ticket := l.last
	l.tickets[ticket] = c.done
	l.turn(now, func(t *shard.Turn) { l.core.Handle(t, ticket, c.cmd) })
}

// absent says why there is no core.
func (l *loop) absent() error {
	if l.stateNow() == loading {
		return kerr.CoordinatorLoadInProgress
	}
	return kerr.NotCoordinator
}

func (l *loop) due(now time.Time) bool {
	if l.core == nil {
		return false
	}
	at := l.core.Deadline()
	return !at.IsZero() && !at.After(now)
}

// pause is the shortest time between two steps that nobody asked for: a core that wants to go on at once gives way.
const pause = time.Millisecond

func (l *loop) deadline(now time.Time) time.Time {
	if l.core == nil {
		if l.stateNow() == loading {
			return now.Add(pause) // the core was dropped in this step
		}
		return time.Time{}
	}
	at := l.core.Deadline()
	if !at.IsZero() && at.Before(now.Add(pause)) {
		return now.Add(pause)
	}
	return at
}

// drop forgets the core, because of err; what waits for it is answered with NOT_COORDINATOR, and the log is loaded anew.
func (l *loop) drop(err error) {
	l.o.Log.Warn("the coordinator is loaded anew", "partition", l.log.ID(), "epoch", l.epoch, "err", err)
	l.core, l.damage = nil, nil
	l.become(loading)
	l.abandon()
}

// abandon answers everybody who waits for a later turn.
func (l *loop) abandon() {
	waiting := l.tickets
	l.tickets = make(map[shard.Ticket]func(any, error))
	for _, done := range waiting {
		done(nil, kerr.NotCoordinator)
	}
}

// end answers all that is left.
func (l *loop) end() {
	l.core = nil
	l.abandon()
	for _, p := range l.pending {
		p.fail(kerr.NotCoordinator)
	}
	commands, _ := l.take()
	for _, c := range commands {
		c.done(nil, kerr.NotCoordinator)
	}
}

// outcome is the error that a client is told for one of the partition's, as Kafka's coordinators translate it.
func outcome(err error) error {
	for _, unavailable := range []error{kerr.UnknownTopicOrPartition, kerr.NotEnoughReplicas, kerr.NotEnoughReplicasAfterAppend, kerr.RequestTimedOut} {
		if errors.Is(err, unavailable) {
			return kerr.CoordinatorNotAvailable
		}
	}
	for _, moved := range []error{kerr.NotLeaderForPartition, kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch, kerr.KafkaStorageError} {
		if errors.Is(err, moved) {
			return kerr.NotCoordinator
		}
	}
	return kerr.UnknownServerError
}
