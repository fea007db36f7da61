package quorum

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// VoterChange is a change of the voters, one at a time.
type VoterChange struct {
	Kind VoterChangeKind
	// Voter is who; of one that is removed ID and Directory count.
	Voter Voter
	// Early has the change answered when the leader has written it, not when it is committed.
	Early bool
}

// VoterChangeKind says what becomes of a voter.
type VoterChangeKind int

// The kinds of changes: a replica that follows is given a vote, a voter loses its vote, or is reached elsewhere from now on.
const (
	AddVoter VoterChangeKind = iota
	RemoveVoter
	UpdateVoter
)

// String says what is done.
func (k VoterChangeKind) String() string {
	return [...]string{"adding", "removing", "updating"}[k]
}

// ChangeVoters changes the voters and returns when that is committed (KIP-853). Errors wrap ErrNotController, ErrStopped, an error of Kafka's
// that says why not, or are ctx's; after the latter the change may still take effect.
func (e *Engine) ChangeVoters(ctx context.Context, c VoterChange) error {
	_, err := e.ask(ctx, &request{change: &c, done: make(chan reply, 1)})
	return err
}

// changeVoters writes who the voters are after a change. They count from the moment that it is written.
func (e *Engine) changeVoters(now time.Time, r *request) {
	next, err := e.changed(r.change, now)
	if err != nil {
		r.answer(nil, err)
		return
	}
	l, waits := e.leader, r
	if r.change.Early {
		waits = nil
	}
	b, err := l.enc.control(nil, l.next, l.epoch, now.UnixMilli(), controlRecord{votersKind, next.record()})
	if err == nil {
		err = e.propose(b, metadata.Batch{Offset: l.next}, now, waits, nil)
	}
	if err == nil {
		err = e.noteVoters(b)
	}
	if err != nil || r.change.Early {
		r.answer(nil, err)
	}
}

// toldVoters are the voters of a static quorum with the directories that they told this leader, and whether all have.
func (e *Engine) toldVoters() (voters, bool) {
	all := voters{kraft: maxKRaftVersion, set: slices.Clone(e.members.last().set)}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range all.set {
		v := &all.set[i]
		v.Directory = e.told[v.ID].directory
		if v.ID == e.cfg.NodeID {
			v.Directory = e.cfg.Directory
		}
		if v.Directory.IsZero() {
			return voters{}, false
		}
	}
	return all, true
}

// votersIntoLog makes a static quorum a dynamic one (kraft.version 1): from here on who votes is what the log says.
func (e *Engine) votersIntoLog(now time.Time, r *request, result controller.Result) error {
	if len(result.Records) > 0 {
		if err := e.proposeRecords(now, result.Records, nil, nil); err != nil {
			return err
		}
	}
	l := e.leader
	set, _ := e.toldVoters()
	records := set.records()
	b, err := l.enc.control(nil, l.next, l.epoch, now.UnixMilli(), records...)
	if err == nil {
		err = e.propose(b, metadata.Batch{Offset: l.next + kafka.Offset(len(records)) - 1}, now, r, result.Response)
	}
	if err == nil {
		err = e.noteVoters(b)
	}
	return err
}

// refused is an error of Kafka's with the words that explain it.
func refused(code *kerr.Error, format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), code)
}

// changed is who the voters are after a change.
func (e *Engine) changed(c *VoterChange, now time.Time) (voters, error) {
	last, v := e.members.last(), c.Voter
	key := v.Key()
	if last.kraft == 0 {
		return voters{}, refused(kerr.UnsupportedVersion, "Cluster doesn't support %s voter because the %s feature is %d", c.Kind, metadata.KRaftVersionFeature, last.kraft)
	}
	if e.changing() {
		return voters{}, refused(kerr.RequestTimedOut, "Request timed out waiting for voters to commit the latest voter change at %d with HWM %d", last.at, e.committed)
	}
	known, there := last.find(v.ID)
	same := there && known.Directory == v.Directory
	switch {
	case c.Kind == AddVoter && there:
		return voters{}, refused(kerr.DuplicateVoter, "The voter id for %v is already part of the set of voters %v.", key, last.keys())
	case c.Kind == AddVoter && e.learners[v.ID].Key() != key:
		return voters{}, refused(kerr.RequestTimedOut, "New voter %v is not ready to receive requests", key)
	case c.Kind == AddVoter && !e.followsClosely(key, now):
		return voters{}, refused(kerr.RequestTimedOut, "Aborted add voter operation for %v since it is lagging behind", key)
	case c.Kind == RemoveVoter && (!same || len(last.set) == 1):
		return voters{}, refused(kerr.VoterNotFound, "Cannot remove voter %v from the set of voters %v", key, last.keys())
	case c.Kind == RemoveVoter && v.ID == e.cfg.NodeID:
		// If it went first, and nobody else had the record yet, its log would be the longest, and it would neither stand nor vote for another.
		if !e.handOver() {
			return voters{}, refused(kerr.RequestTimedOut, "Cannot remove voter %v, which leads, before another voter can take over", key)
		}
		return voters{}, fmt.Errorf("%w any more: it hands over to one that can remove it", ErrNotController)
	case c.Kind == UpdateVoter && !same:
		return voters{}, refused(kerr.VoterNotFound, "Cannot update voter %v in the set of voters %v", key, last.keys())
	}
	next := voters{kraft: last.kraft, set: slices.DeleteFunc(slices.Clone(last.set), func(m Voter) bool { return m.ID == v.ID })}
	if c.Kind != RemoveVoter {
		next.set = sortVoters(append(next.set, v))
	}
	return next, nil
}

// changing reports whether the newest membership is not committed yet, or in no log.
func (e *Engine) changing() bool {
	last := e.members.last()
	return last.at >= e.committed || !last.inLog
}

// followsClosely reports whether a replica follows this leader and has had all of its log: a voter that has not would hold up the others.
func (e *Engine) followsClosely(r ReplicaKey, now time.Time) bool {
	l, ok := e.learners[r.ID]
	if !ok || l.Directory != r.Directory {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.told[r.ID]
	return !t.caughtUp.IsZero() && now.Sub(t.at) <= electionTicks*e.cfg.Tick
}

// String is how Kafka writes a replica.
func (r ReplicaKey) String() string {
	return fmt.Sprintf("ReplicaKey(id=%d, directoryId=%v)", r.ID, r.Directory)
}

func (v voters) keys() []ReplicaKey {
	keys := make([]ReplicaKey, len(v.set))
	for i, m := range v.set {
		keys[i] = m.Key()
	}
	return keys
}
