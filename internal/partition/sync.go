package partition

import (
	"math"
	"runtime"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/replica"
)

// maxSyncs is how many partitions of a log directory are synced at a time for answers that wait. A disk gains little
// from more, each holds a thread of the system's, and what waits for its turn gathers appends.
const maxSyncs = 4

// syncs is what flush.messages asks for. All that is appended while a sync runs goes with the next one, and its answers with that. The
// partition's lock guards it.
//
// What is owed a sync does not count for the high watermark: no reader sees what a crash of the machine could take back.
type syncs struct {
	records int64        // since a sync was last asked for
	owed    kafka.Offset // exclusive; what ends up to here is answered when it is synced
	synced  kafka.Offset // exclusive; how far the syncs came that were asked for
	running bool         // a goroutine is at it
	held    int          // bytes that readers have not been told of
}

// owes reports whether an append that ends at end has to wait for a sync.
func (s *syncs) owes(end kafka.Offset) bool { return s != nil && s.synced < end && end <= s.owed }

// noteAppended takes in an append of so many bytes, and reports whether somebody has to begin to sync. Hold the lock.
func (p *Partition) noteAppended(records int64, size int, end kafka.Offset, every int64) (begin bool) {
	if every <= 0 || every == math.MaxInt64 {
		every = math.MaxInt64
		if p.syncs == nil {
			return false
		}
	}
	if p.syncs == nil {
		p.syncs = &syncs{}
	}
	s := p.syncs
	if s.records += records; s.records >= every {
		s.records, s.owed = 0, end
		begin, s.running = !s.running, true
	}
	if s.owed > s.synced {
		s.held += size
	}
	return begin
}

// durable is the offset from which on own records don't count.
func (s *syncs) durable() kafka.Offset {
	if s != nil && s.owed > s.synced && !planted.Bug("acked-before-synced") {
		return s.synced
	}
	return replica.AllDurable
}

// syncOwed makes durable what is owed, as often as it takes.
func (p *Partition) syncOwed() {
	for more := true; more; {
		dir := p.dir()
		dir.syncTurns <- struct{}{}
		runtime.Gosched() // appends that could be written now go with this sync
		point, err := p.flush()
		<-dir.syncTurns
		if err != nil {
			_ = p.storageFailure(err)
		}
		more = p.noteSynced(point, err == nil)
	}
}

// noteSynced takes in how far the log is synced, lets the answers go that waited for it, and reports whether more is
// owed. When there is no hope, none waits on.
func (p *Partition) noteSynced(point kafka.Offset, ok bool) (more bool) {
	p.mu.Lock()
	s := p.syncs
	s.synced = max(s.synced, point)
	owed, bytes := s.owed > s.synced, 0
	more = owed && ok && p.state.Load() == online
	s.running = more
	if !owed {
		bytes, s.held = s.held, 0
	}
	p.core.SetDurable(s.durable())
	p.publish()
	synced := s.synced
	p.mu.Unlock()
	p.advanced(bytes, nil)
	p.watchers.Synced(synced)
	if owed && !more {
		p.watchers.Fail()
	}
	return more
}

// WatchSynced has w wait until the log is synced up to end, which an Append gave that was not Synced. When w is over, Synced tells how.
func (p *Partition) WatchSynced(w *purgatory.Wait, end kafka.Offset) {
	w.Watch(&p.watchers, purgatory.Synced, end-1)
	p.mu.Lock()
	lost := !p.syncs.running && p.syncs.synced < end
	p.mu.Unlock()
	if lost { // before it was watched
		p.watchers.Fail()
	}
}

// Synced decides the answer of a write that had to be synced up to end, when its wait is over: nil, kerr.NotLeaderForPartition or
// kerr.KafkaStorageError.
func (p *Partition) Synced(end kafka.Offset) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch state := p.state.Load(); {
	case p.syncs.synced >= end:
		return nil
	case state == gone, state == closed:
		return kerr.NotLeaderForPartition
	}
	return kerr.KafkaStorageError
}
