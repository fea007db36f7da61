package replica

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
)

// follower is what the leader knows of another replica.
type follower struct {
	id     kafka.NodeID
	known  bool // it fetched in this leader epoch
	logEnd kafka.Offset
	// logStart is where its log begins.
	logStart kafka.Offset
	epoch    kafka.BrokerEpoch // with which it fetched
	// leaderEnd was the leader's log end at its last fetch, at fetched. caughtUp is when it last had all that the leader had.
	leaderEnd         kafka.Offset
	fetched, caughtUp time.Time
	// waits says that it is not in the in-sync set, and that since its last fetch only others than itself keep it out.
	waits bool
}

// Fetch is a follower's request for what comes after its log end.
type Fetch struct {
	From  kafka.NodeID
	Epoch kafka.BrokerEpoch // kafka.NoBrokerEpoch if it did not say
	// LeaderEpoch is that in which it asked, kafka.NoEpoch if it did not say: what it holds was compared with the log of that leadership.
	LeaderEpoch      kafka.LeaderEpoch
	LogStart, LogEnd kafka.Offset
}

// keepFollowers has an entry for each other replica. One that is in sync when the leadership begins has its time to fetch.
func (s *State) keepFollowers() {
	s.followers = slices.DeleteFunc(s.followers, func(f follower) bool { return !slices.Contains(s.leadership.Replicas, f.id) })
	for _, id := range s.leadership.Replicas {
		if id == s.self || s.follower(id) != nil {
			continue
		}
		f := follower{id: id, epoch: kafka.NoBrokerEpoch}
		if slices.Contains(s.leadership.ISR, id) {
			f.caughtUp = s.now
		}
		s.followers = append(s.followers, f)
	}
}

func (s *State) follower(id kafka.NodeID) *follower {
	i := slices.IndexFunc(s.followers, func(f follower) bool { return f.id == id })
	if i < 0 {
		return nil
	}
	return &s.followers[i]
}

// Fetched takes in that a follower has everything below f.LogEnd. The error is that of Leadership.Check for the epoch, or
// kerr.NotLeaderForPartition, also for one that is no replica, or is an incarnation of a broker that another one has followed.
func (s *State) Fetched(now time.Time, f Fetch) (Ready, error) {
	s.tick(now)
	if err := s.leadership.Check(s.self, f.LeaderEpoch, true); err != nil {
		return Ready{}, err
	}
	x := s.follower(f.From)
	if x == nil || s.stale(f) {
		return Ready{}, kerr.NotLeaderForPartition
	}
	switch {
	case f.LogEnd >= s.logEnd:
		x.caughtUp = s.now
	case x.known && f.LogEnd >= x.leaderEnd && x.fetched.After(x.caughtUp):
		x.caughtUp = x.fetched // it has what there was when it fetched last
	}
	x.known, x.logStart, x.logEnd, x.epoch, x.leaderEnd, x.fetched = true, f.LogStart, f.LogEnd, f.Epoch, s.logEnd, s.now
	r := Ready{Advanced: s.advance()}
	s.expand(x, &r)
	return r, nil
}

// Holder is a follower from which consumers may read.
type Holder struct {
	ID     kafka.NodeID
	LogEnd kafka.Offset
	Behind time.Duration // since it last had all
}

// Holders lists the followers in sync whose log holds offset, or ends there: a leader may send consumers to them (KIP-392).
func (s *State) Holders(now time.Time, offset kafka.Offset) []Holder {
	s.tick(now)
	var all []Holder
	for i := range s.followers {
		x := &s.followers[i]
		if x.known && slices.Contains(s.leadership.ISR, x.id) && x.logStart <= offset && offset <= x.logEnd {
			all = append(all, Holder{ID: x.id, LogEnd: x.logEnd, Behind: s.now.Sub(x.caughtUp)})
		}
	}
	return all
}

func (s *State) stale(f Fetch) bool {
	registered := s.registered(f.From)
	return f.Epoch != kafka.NoBrokerEpoch && f.Epoch < registered
}

func (s *State) registered(id kafka.NodeID) kafka.BrokerEpoch {
	if s.cluster == nil {
		return kafka.NoBrokerEpoch
	}
	return s.cluster.InSyncEpoch(id)
}

// eligible reports whether a follower may come into the in-sync set: the broker that fetched is the one that is registered (KIP-903).
func (s *State) eligible(x *follower) bool {
	registered := s.registered(x.id)
	return registered != kafka.NoBrokerEpoch && x.known && (x.epoch == kafka.NoBrokerEpoch || x.epoch == registered)
}

// current reports whether a follower has all, or had it within the time that it may lag.
func (s *State) current(x *follower) bool {
	return x.known && x.logEnd == s.logEnd || !x.caughtUp.IsZero() && s.now.Sub(x.caughtUp) <= s.rules.MaxLag
}

// advance raises the high watermark to the least log end of those who count, and reports whether it rose: the in-sync set, whoever was proposed for it, and those
// who are about to be. Right after an election it stays where it was until all of these have fetched in the new epoch; it also stays while
// fewer are in sync than the minimum (KIP-966).
func (s *State) advance() bool {
	if s.underMinISR() && !planted.Bug("below-min-isr") {
		return false
	}
	end := min(s.logEnd, s.durable)
	for i := range s.followers {
		x := &s.followers[i]
		if !s.counts(x) {
			continue
		}
		if !x.known {
			return false
		}
		end = min(end, x.logEnd)
	}
	if end <= s.highWatermark {
		return false
	}
	s.highWatermark = end
	return true
}

// counts reports whether the high watermark must not pass a follower.
func (s *State) counts(x *follower) bool {
	if planted.Bug("joining-not-counted") {
		return slices.Contains(s.leadership.ISR, x.id)
	}
	return slices.Contains(s.leadership.ISR, x.id) || s.pending != nil && s.pending.Joining == x.id || x.known && s.current(x) && s.eligible(x)
}
