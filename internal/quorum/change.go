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
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/record"
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
	b, err := l.enc.Control(nil, l.next, l.epoch, now.UnixMilli(), metalog.ControlRecord{Kind: record.Voters, Body: next.Record()})
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
func (e *Engine) toldVoters() (metalog.Voters, bool) {
	all := metalog.Voters{KRaft: metalog.MaxKRaftVersion, Set: slices.Clone(e.members.Last().Set)}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range all.Set {
		v := &all.Set[i]
		v.Directory = e.told[v.Key()].directory
		if v.ID == e.cfg.NodeID {
			v.Directory = e.cfg.Directory
		}
		if v.Directory.IsZero() {
			return metalog.Voters{}, false
		}
	}
	return all, true
}

// informed adds to a command what the quorum knows and the controller does not: whether all voters of a static quorum have told their directories. It
// gives them too.
func (e *Engine) informed(cmd controller.Command) (controller.Command, metalog.Voters) {
	u, ok := cmd.(controller.UpdateFeatures)
	if !ok {
		return cmd, metalog.Voters{}
	}
	set, told := e.toldVoters()
	u.VotersTold = told
	return u, set
}

// votersIntoLog makes a static quorum a dynamic one (kraft.version 1): from here on who votes is what the log says.
func (e *Engine) votersIntoLog(now time.Time, r *request, set metalog.Voters, result controller.Result) error {
	if len(result.Records) > 0 {
		if err := e.proposeRecords(now, result.Records, nil, nil); err != nil {
			return err
		}
	}
	l := e.leader
	records := set.Records()
	b, err := l.enc.Control(nil, l.next, l.epoch, now.UnixMilli(), records...)
	if err == nil {
		err = e.propose(b, metadata.Batch{Offset: l.next + kafka.Offset(len(records)) - 1}, now, r, result.Response)
	}
	if err == nil {
		err = e.noteVoters(b)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, v := range set.Set { // they have directories from now on
		e.told[v.Key()] = e.told[ReplicaKey{ID: v.ID}]
	}
	return err
}

// refused is an error of Kafka's with the words that explain it.
func refused(code *kerr.Error, format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), code)
}

// changed is who the voters are after a change.
func (e *Engine) changed(c *VoterChange, now time.Time) (metalog.Voters, error) {
	last, v := e.members.Last(), c.Voter
	key := v.Key()
	if last.KRaft == 0 {
		return metalog.Voters{}, refused(kerr.UnsupportedVersion, "Cluster doesn't support %s voter because the %s feature is %d", c.Kind, metadata.KRaftVersionFeature, last.KRaft)
	}
	if e.changing() && !planted.Bug("voters-two-at-once") {
		return metalog.Voters{}, refused(kerr.RequestTimedOut, "Request timed out waiting for voters to commit the latest voter change at %d with HWM %d", last.At, e.committed)
	}
	known, there := last.Find(v.ID)
	same := there && known.Directory == v.Directory
	switch {
	case c.Kind == AddVoter && there:
		return metalog.Voters{}, refused(kerr.DuplicateVoter, "The voter id for %v is already part of the set of voters %v.", key, last.Keys())
	case c.Kind == AddVoter && e.learners[v.ID].Key() != key:
		return metalog.Voters{}, refused(kerr.RequestTimedOut, "New voter %v is not ready to receive requests", key)
	case c.Kind == AddVoter && !e.followsClosely(key, now):
		return metalog.Voters{}, refused(kerr.RequestTimedOut, "Aborted add voter operation for %v since it is lagging behind", key)
	case c.Kind == RemoveVoter && (!same || len(last.Set) == 1):
		return metalog.Voters{}, refused(kerr.VoterNotFound, "Cannot remove voter %v from the set of voters %v", key, last.Keys())
	case c.Kind == RemoveVoter && v.ID == e.cfg.NodeID:
		// If it went first, and nobody else had the record yet, its log would be the longest, and it would neither stand nor vote for another.
		if !e.handOver() {
			return metalog.Voters{}, refused(kerr.RequestTimedOut, "Cannot remove voter %v, which leads, before another voter can take over", key)
		}
		return metalog.Voters{}, fmt.Errorf("%w any more: it hands over to one that can remove it", ErrNotController)
	case c.Kind == UpdateVoter && !same:
		return metalog.Voters{}, refused(kerr.VoterNotFound, "Cannot update voter %v in the set of voters %v", key, last.Keys())
	}
	next := metalog.Voters{KRaft: last.KRaft, Set: slices.DeleteFunc(slices.Clone(last.Set), func(m Voter) bool { return m.ID == v.ID })}
	if c.Kind != RemoveVoter {
		next.Set = metalog.SortVoters(append(next.Set, v))
	}
	return next, nil
}

// changing reports whether the newest membership is not committed yet, or in no log.
func (e *Engine) changing() bool {
	last := e.members.Last()
	return last.At >= e.committed || !last.InLog
}

// followsClosely reports whether a replica follows this leader and has had all of its log: a voter that has not would hold up the others.
func (e *Engine) followsClosely(r ReplicaKey, now time.Time) bool {
	l, ok := e.learners[r.ID]
	if !ok || l.Directory != r.Directory {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.told[r]
	return !t.caughtUp.IsZero() && now.Sub(t.at) <= electionTicks*e.cfg.Tick
}
