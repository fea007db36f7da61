package replica

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

// Leadership is what the metadata log says about a partition at one partition epoch.
type Leadership struct {
	Leader         kafka.NodeID // kafka.NoNode while there is none
	LeaderEpoch    kafka.LeaderEpoch
	PartitionEpoch kafka.PartitionEpoch
	Replicas       []kafka.NodeID
	ISR            []kafka.NodeID // as committed
}

// Ready is what the engine has to do after an event.
type Ready struct {
	// HighWatermark is to be published, and waits below it to be woken, if Advanced.
	HighWatermark kafka.Offset
	Advanced      bool
	// NewEpoch says that leadership begins here at EpochStart: to be noted in the log's epochs before the next append.
	NewEpoch   bool
	EpochStart kafka.Offset
	// Moved says that leader, epoch or role changed: waits must look again.
	Moved bool
}

// progress is how far the leader knows a follower to be.
type progress struct {
	logEnd kafka.Offset
	known  bool // it fetched in this leader epoch
}

// State is one node's replica of a partition.
type State struct {
	self          kafka.NodeID
	leadership    Leadership
	logEnd        kafka.Offset
	durable       kafka.Offset
	highWatermark kafka.Offset
	epochStart    kafka.Offset
	followers     map[kafka.NodeID]progress // only while leading others
}

// New returns the state of node self's replica whose log ends at logEnd, before any leadership is known. The high watermark is
// the checkpointed one, bounded by the log end.
func New(self kafka.NodeID, logEnd, highWatermark kafka.Offset) *State {
	return &State{
		self:          self,
		leadership:    Leadership{Leader: kafka.NoNode, LeaderEpoch: kafka.NoEpoch, PartitionEpoch: -1},
		logEnd:        logEnd,
		durable:       AllDurable,
		highWatermark: min(highWatermark, logEnd),
	}
}

// Become takes in what the metadata log says. An older partition epoch changes nothing.
func (s *State) Become(l Leadership) Ready {
	if l.PartitionEpoch < s.leadership.PartitionEpoch || l.LeaderEpoch < s.leadership.LeaderEpoch {
		return Ready{}
	}
	before := s.leadership
	wasLeader := s.Leads()
	s.leadership = l
	s.leadership.Replicas, s.leadership.ISR = slices.Clone(l.Replicas), slices.Clone(l.ISR)
	r := Ready{Moved: before.Leader != l.Leader || before.LeaderEpoch != l.LeaderEpoch}
	if !s.Leads() {
		s.followers = nil
		return r
	}
	if !wasLeader || before.LeaderEpoch != l.LeaderEpoch {
		s.epochStart = s.logEnd
		s.followers = nil
		r.NewEpoch, r.EpochStart = true, s.logEnd
	}
	s.keepFollowers()
	s.advance(&r)
	return r
}

// keepFollowers has an entry for each other replica.
func (s *State) keepFollowers() {
	maps.DeleteFunc(s.followers, func(id kafka.NodeID, _ progress) bool { return !slices.Contains(s.leadership.Replicas, id) })
	for _, id := range s.leadership.Replicas {
		if id == s.self {
			continue
		}
		if s.followers == nil {
			s.followers = make(map[kafka.NodeID]progress)
		}
		if _, ok := s.followers[id]; !ok {
			s.followers[id] = progress{}
		}
	}
}

// Appended takes in that the log now ends at logEnd.
func (s *State) Appended(logEnd kafka.Offset) Ready {
	s.logEnd = logEnd
	var r Ready
	if s.Leads() {
		s.advance(&r)
	}
	return r
}

// AllDurable is an end that no log has.
const AllDurable kafka.Offset = math.MaxInt64

// SetDurable says that own records from upTo on do not count for the high watermark: they are owed a sync. AllDurable takes that back.
func (s *State) SetDurable(upTo kafka.Offset) Ready {
	var r Ready
	if upTo == s.durable {
		return r
	}
	if s.durable = upTo; s.Leads() {
		s.advance(&r)
	}
	return r
}

// Fetched takes in that follower id has everything below logEnd.
func (s *State) Fetched(id kafka.NodeID, logEnd kafka.Offset) Ready {
	var r Ready
	if _, ok := s.followers[id]; ok && s.Leads() {
		s.followers[id] = progress{logEnd: logEnd, known: true}
		s.advance(&r)
	}
	return r
}

// Truncated takes in that the log was cut to logEnd, as a follower does.
func (s *State) Truncated(logEnd kafka.Offset) {
	s.logEnd = logEnd
	s.highWatermark = min(s.highWatermark, logEnd)
}

// advance raises the high watermark to the least log end of the in-sync set. Right after an election it stays where it was until all
// members have fetched in the new epoch.
func (s *State) advance(r *Ready) {
	end := min(s.logEnd, s.durable)
	for _, id := range s.leadership.ISR {
		if id == s.self {
			continue
		}
		p := s.followers[id]
		if !p.known {
			return
		}
		end = min(end, p.logEnd)
	}
	if end > s.highWatermark {
		s.highWatermark = end
		r.HighWatermark, r.Advanced = end, true
	}
}

// Leads reports whether this replica is the leader.
func (s *State) Leads() bool { return s.leadership.Leader == s.self && s.self != kafka.NoNode }

// Leadership returns what was taken in last. Read only.
func (s *State) Leadership() Leadership { return s.leadership }

// HighWatermark returns the exclusive bound of the records that every member of the in-sync set has.
func (s *State) HighWatermark() kafka.Offset { return s.highWatermark }

// EpochStart returns the log end offset at which this node's current leadership began.
func (s *State) EpochStart() kafka.Offset { return s.epochStart }

// CheckAppend decides whether the leader takes a write: acks -1 needs minISR members in sync (or as many as there are replicas). The error is
// kerr.NotLeaderForPartition or kerr.NotEnoughReplicas.
func (s *State) CheckAppend(acks int16, minISR int) error {
	if !s.Leads() {
		return kerr.NotLeaderForPartition
	}
	if acks == -1 && len(s.leadership.ISR) < min(minISR, max(len(s.leadership.Replicas), 1)) {
		return fmt.Errorf("the size of the current ISR %v is insufficient to satisfy the min.isr requirement of %d: %w",
			s.leadership.ISR, minISR, kerr.NotEnoughReplicas)
	}
	return nil
}

// CheckAcked decides what a write that waited for the high watermark is answered with once that has come: written, but to fewer replicas than
// asked for, is kerr.NotEnoughReplicasAfterAppend.
func (s *State) CheckAcked(minISR int) error {
	if len(s.leadership.ISR) < min(minISR, max(len(s.leadership.Replicas), 1)) {
		return kerr.NotEnoughReplicasAfterAppend
	}
	return nil
}

// Check decides for node self on a request that carries the leader epoch it believes in, or a negative number: kerr.FencedLeaderEpoch if it is old,
// kerr.UnknownLeaderEpoch if it is newer than what this node knows, kerr.NotLeaderForPartition if a leader is needed and self is none.
func (l *Leadership) Check(self kafka.NodeID, believed kafka.LeaderEpoch, needLeader bool) error {
	switch {
	case believed != kafka.NoEpoch && believed < l.LeaderEpoch:
		return kerr.FencedLeaderEpoch
	case believed != kafka.NoEpoch && believed > l.LeaderEpoch:
		return kerr.UnknownLeaderEpoch
	case needLeader && (l.Leader != self || self == kafka.NoNode):
		return kerr.NotLeaderForPartition
	}
	return nil
}

// String describes the state in one line.
func (s *State) String() string {
	role := "follower"
	if s.Leads() {
		role = "leader"
	}
	l := &s.leadership
	return fmt.Sprintf("%s of epoch %d (leader %d, partition epoch %d, isr %v of %v), end %d, high watermark %d",
		role, l.LeaderEpoch, l.Leader, l.PartitionEpoch, l.ISR, l.Replicas, s.logEnd, s.highWatermark)
}
