package replica

import (
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
)

// Proposal is an in-sync set that a leader wants. Until the metadata log answers, whoever is in either set counts for the high watermark.
type Proposal struct {
	LeaderEpoch    kafka.LeaderEpoch
	PartitionEpoch kafka.PartitionEpoch
	ISR            []Member
	Joining        kafka.NodeID // who is new in it; kafka.NoNode where somebody leaves
}

// Member is a broker of an in-sync set, as that of an incarnation.
type Member struct {
	ID    kafka.NodeID
	Epoch kafka.BrokerEpoch // kafka.NoBrokerEpoch if it did not say
}

// expand proposes to take in a follower that has all up to the high watermark and into this leader's epoch. It waits while its broker alone keeps it out,
// or another proposal is on its way.
func (s *State) expand(x *follower, r *Ready) {
	x.waits = false
	if slices.Contains(s.leadership.ISR, x.id) || x.logEnd < s.highWatermark && !planted.Bug("in-sync-too-early") || x.logEnd < s.epochStart {
		return
	}
	switch r.Barred = !s.eligible(x); {
	case r.Barred:
		x.waits = true
	case s.pending != nil:
		x.waits = s.pending.Joining != x.id
	default:
		r.Propose = s.propose(append(slices.Clone(s.leadership.ISR), x.id), x.id)
	}
}

// Admit takes in that a broker may have come to be let into in-sync sets: its replica, if it waits for that, need not fetch once more.
func (s *State) Admit(now time.Time, id kafka.NodeID) (r Ready) {
	s.tick(now)
	if x := s.follower(id); x != nil {
		s.reconsider(x, &r)
	}
	return r
}

// reconsider is expand for a follower that waits. What is known of it must be of the process that is registered now, and no older than it may lag.
func (s *State) reconsider(x *follower, r *Ready) {
	if x.waits && x.epoch != kafka.NoBrokerEpoch && s.current(x) {
		s.expand(x, r)
	}
}

// next looks, when the in-sync set has changed, for another follower that waited for that.
func (s *State) next(r *Ready) {
	for i := range s.followers {
		s.reconsider(&s.followers[i], r)
	}
	r.Barred = false // which was said at their fetches
}

// Expire proposes to leave out who has lagged for too long, and returns when somebody may have next, the zero time if nobody.
func (s *State) Expire(now time.Time) (r Ready, next time.Time) {
	s.tick(now)
	if !s.Leads() || s.pending != nil {
		return r, next
	}
	var stay []kafka.NodeID
	for _, id := range s.leadership.ISR {
		x := s.follower(id)
		if x == nil || s.current(x) {
			stay = append(stay, id)
		}
		if x == nil || x.known && x.logEnd == s.logEnd {
			continue
		}
		if due := x.caughtUp.Add(s.rules.MaxLag + 1); next.IsZero() || due.Before(next) {
			next = due
		}
	}
	if len(stay) < len(s.leadership.ISR) {
		r.Propose = s.propose(stay, kafka.NoNode)
		next = time.Time{} // when the answer is there
	}
	return r, next
}

func (s *State) propose(isr []kafka.NodeID, joining kafka.NodeID) *Proposal {
	p := &Proposal{LeaderEpoch: s.leadership.LeaderEpoch, PartitionEpoch: s.leadership.PartitionEpoch, Joining: joining}
	for _, id := range isr {
		m := Member{ID: id, Epoch: s.registered(id)}
		if x := s.follower(id); x != nil {
			m.Epoch = x.epoch
		}
		p.ISR = append(p.ISR, m)
	}
	s.pending = p
	return p
}

// Altered takes in what the controller answered to a proposal: the leadership that it led to, or an error. A proposal that is not the
// last one, or was overtaken by the metadata log, changes nothing.
func (s *State) Altered(now time.Time, p *Proposal, l Leadership, err error) Ready {
	if p != s.pending || p == nil {
		return Ready{}
	}
	switch {
	case err == nil:
		// One of a later epoch, or of another leader, comes by the metadata log as well, and only that tells all of it.
		if l.LeaderEpoch != s.leadership.LeaderEpoch || l.PartitionEpoch < s.leadership.PartitionEpoch {
			return Ready{}
		}
		s.pending = nil
		s.leadership.ISR, s.leadership.PartitionEpoch = slices.Clone(l.ISR), l.PartitionEpoch
		s.tick(now)
		r := Ready{Advanced: s.advance()}
		s.next(&r)
		return r
	case errors.Is(err, kerr.IneligibleReplica), errors.Is(err, kerr.OperationNotAttempted):
		s.pending = nil // whoever is still wanted, or unwanted, is proposed again at its next fetch or deadline
	case slices.ContainsFunc(overtaken, func(e error) bool { return errors.Is(err, e) }):
		// The metadata log knows more than this leader, who waits for it.
	default:
		return Ready{Propose: p}
	}
	return Ready{}
}

// overtaken are the answers after which only the metadata log can go on.
var overtaken = []error{
	kerr.UnknownTopicOrPartition, kerr.UnknownTopicID, kerr.FencedLeaderEpoch, kerr.InvalidUpdateVersion, kerr.InvalidRequest,
	kerr.NewLeaderElected,
}
