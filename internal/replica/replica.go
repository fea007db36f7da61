package replica

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
)

// Leadership is what the metadata log says about a partition at one partition epoch.
type Leadership struct {
	Leader         kafka.NodeID // kafka.NoNode while there is none
	LeaderEpoch    kafka.LeaderEpoch
	PartitionEpoch kafka.PartitionEpoch
	Replicas       []kafka.NodeID
	ISR            []kafka.NodeID // as committed
}

// Ready is what the engine has to do after Become, Fetched, Altered and Expire.
type Ready struct {
	// Advanced says that the high watermark is to be published, and waits below it to be woken.
	Advanced bool
	// NewEpoch says that leadership begins here at EpochStart: to be noted in the log's epochs before the next append.
	NewEpoch   bool
	EpochStart kafka.Offset
	// Moved says that leader, epoch or role changed: waits must look again.
	Moved bool
	// Propose, if set, is to be sent to the controller (AlterPartition), and its answer to be given to Altered.
	Propose *Proposal
	// Barred says that the follower has all it needs to come into the in-sync set, and that its broker is not let in, as far as this node knows: Admit is
	// to be called when that changes.
	Barred bool
}

// Rules are the limits of a partition, which change while it lives.
type Rules struct {
	// MinISR is min.insync.replicas.
	MinISR int
	// MaxLag is replica.lag.time.max.ms.
	MaxLag time.Duration
}

// Cluster is what a leader has to know of other brokers.
type Cluster interface {
	// InSyncEpoch returns the epoch with which a broker is registered, and kafka.NoBrokerEpoch of one that may not come into an in-sync set:
	// one that is fenced, about to stop, or not registered.
	InSyncEpoch(kafka.NodeID) kafka.BrokerEpoch
}

// State is one node's replica of a partition.
type State struct {
	self          kafka.NodeID
	cluster       Cluster
	rules         Rules
	leadership    Leadership
	logEnd        kafka.Offset
	durable       kafka.Offset
	highWatermark kafka.Offset
	epochStart    kafka.Offset
	now           time.Time  // of the newest event
	followers     []follower // only while leading others
	pending       *Proposal  // sent, and not answered by the metadata log yet
}

// New returns the state of node self's replica whose log ends at logEnd, before any leadership is known. The high watermark is
// the checkpointed one, bounded by the log end. A nil cluster lets nobody come into the in-sync set.
func New(self kafka.NodeID, logEnd, highWatermark kafka.Offset, cluster Cluster, rules Rules) *State {
	return &State{
		self:          self,
		cluster:       cluster,
		rules:         rules,
		leadership:    Leadership{Leader: kafka.NoNode, LeaderEpoch: kafka.NoEpoch, PartitionEpoch: -1},
		logEnd:        logEnd,
		durable:       AllDurable,
		highWatermark: min(highWatermark, logEnd),
	}
}

// Become takes in what the metadata log says. An older partition epoch changes nothing. A proposal that was not answered yet is: the
// metadata log has the last word.
func (s *State) Become(now time.Time, l Leadership) Ready {
	if l.PartitionEpoch < s.leadership.PartitionEpoch || l.LeaderEpoch < s.leadership.LeaderEpoch {
		return Ready{}
	}
	s.tick(now)
	before := s.leadership
	wasLeader := s.Leads()
	s.leadership = l
	s.leadership.Replicas, s.leadership.ISR = slices.Clone(l.Replicas), slices.Clone(l.ISR)
	if l.PartitionEpoch > before.PartitionEpoch {
		s.pending = nil
	}
	r := Ready{Moved: before.Leader != l.Leader || before.LeaderEpoch != l.LeaderEpoch}
	if !s.Leads() {
		s.followers, s.pending = nil, nil
		return r
	}
	if !wasLeader || before.LeaderEpoch != l.LeaderEpoch {
		s.epochStart = s.logEnd
		s.followers, s.pending = nil, nil
		r.NewEpoch, r.EpochStart = true, s.logEnd
	}
	s.keepFollowers()
	r.Advanced = s.advance()
	s.next(&r)
	return r
}

// tick takes in the time, which does not go back.
func (s *State) tick(now time.Time) {
	if now.After(s.now) {
		s.now = now
	}
}

// Follow takes in other rules.
func (s *State) Follow(rules Rules) {
	if s.rules = rules; s.Leads() {
		s.advance()
	}
}

// Appended takes in that the log of a leader now ends at logEnd.
func (s *State) Appended(now time.Time, logEnd kafka.Offset) {
	s.tick(now)
	s.logEnd = logEnd
	if s.Leads() {
		s.advance()
	}
}

// Followed takes in that the log of a follower now ends at logEnd, and that its leader's high watermark is leaders.
func (s *State) Followed(logEnd, leaders kafka.Offset) {
	s.logEnd = logEnd
	if !s.Leads() {
		s.highWatermark = max(s.highWatermark, min(leaders, logEnd))
	}
}

// AllDurable is an end that no log has.
const AllDurable kafka.Offset = math.MaxInt64

// SetDurable says that own records from upTo on do not count for the high watermark: they are owed a sync. AllDurable takes that back.
func (s *State) SetDurable(upTo kafka.Offset) {
	if upTo == s.durable {
		return
	}
	if s.durable = upTo; s.Leads() {
		s.advance()
	}
}

// Truncated takes in that the log was cut to logEnd, as a follower does.
func (s *State) Truncated(logEnd kafka.Offset) {
	s.logEnd = logEnd
	s.highWatermark = min(s.highWatermark, logEnd)
}

// Leads reports whether this replica is the leader.
func (s *State) Leads() bool { return s.leadership.Leader == s.self && s.self != kafka.NoNode }

// Leadership returns what was taken in last. Read only.
func (s *State) Leadership() Leadership { return s.leadership }

// HighWatermark returns the exclusive bound of the records that every member of the in-sync set has.
func (s *State) HighWatermark() kafka.Offset { return s.highWatermark }

// EpochStart returns the log end offset at which this node's current leadership began.
func (s *State) EpochStart() kafka.Offset { return s.epochStart }

// underMinISR reports whether fewer are in sync than the minimum, or than there are replicas if that is less.
func (s *State) underMinISR() bool {
	return len(s.leadership.ISR) < min(s.rules.MinISR, max(len(s.leadership.Replicas), 1))
}

// CheckAppend decides whether the leader takes a write: acks -1 needs the minimum in sync. The error is kerr.NotLeaderForPartition or
// kerr.NotEnoughReplicas.
func (s *State) CheckAppend(acks int16) error {
	if !s.Leads() {
		return kerr.NotLeaderForPartition
	}
	if acks == -1 && s.underMinISR() {
		return fmt.Errorf("the size of the current ISR %v is insufficient to satisfy the min.isr requirement of %d: %w",
			s.leadership.ISR, s.rules.MinISR, kerr.NotEnoughReplicas)
	}
	return nil
}

// CheckAcked decides what a write that waited for the high watermark is answered with once that has come: written, but to fewer replicas than
// asked for, is kerr.NotEnoughReplicasAfterAppend.
func (s *State) CheckAcked() error {
	if s.underMinISR() {
		return kerr.NotEnoughReplicasAfterAppend
	}
	return nil
}

// Check decides for node self on a request that carries the leader epoch it believes in, or a negative number: kerr.FencedLeaderEpoch if it is old,
// kerr.UnknownLeaderEpoch if it is newer than what this node knows, kerr.NotLeaderForPartition if a leader is needed and self is none.
func (l *Leadership) Check(self kafka.NodeID, believed kafka.LeaderEpoch, needLeader bool) error {
	switch {
	case believed != kafka.NoEpoch && believed < l.LeaderEpoch && !planted.Bug("no-leader-epoch-fence"):
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
