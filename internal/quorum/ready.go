package quorum

import (
	"fmt"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
)

// ready does what Raft asks for until it asks for nothing. The order is the safety: the term and vote, then the
// entries, then the disk's word for both, and only then messages and answers.
func (e *Engine) ready(now time.Time) error {
	for e.raft.HasReady() {
		if err := e.leadAlone(now); err != nil {
			return err
		}
		rd := e.raft.Ready()
		e.followRole(rd, now)
		if err := e.persist(rd, now); err != nil {
			return err
		}
		if err := e.send(e.outgoing(rd.Messages)); err != nil {
			return err
		}
		for _, entry := range rd.CommittedEntries {
			if err := e.applyEntry(entry, now); err != nil {
				return err
			}
		}
		e.raft.Advance(rd)
		e.reportSnapshots(rd.Messages)
		if err := e.maybeActivate(now); err != nil {
			return err
		}
	}
	return nil
}

// followRole notes who leads.
func (e *Engine) followRole(rd raft.Ready, now time.Time) {
	if rd.SoftState == nil {
		return
	}
	if rd.SoftState.RaftState != raft.StateLeader {
		if e.leader != nil {
			e.cfg.Log.Info("no longer the active controller", "epoch", e.leader.epoch)
			e.dropPending(ErrNotController)
			e.leader, e.heard = nil, now
			clear(e.learners)
			e.reconfigure()
		}
	} else if e.leader == nil {
		e.leader = &leadership{epoch: kafka.LeaderEpoch(e.raft.BasicStatus().HardState.GetTerm())}
		e.mu.Lock()
		clear(e.told)
		e.mu.Unlock()
	}
	e.leads = nodeID(rd.SoftState.Lead)
	e.publishStatus() // one that was deposed must not go on saying that it leads
}

// persist writes what Raft wants to be durable, and syncs it.
func (e *Engine) persist(rd raft.Ready, now time.Time) error {
	term, vote := e.voted.GetTerm(), e.voted.GetVote()
	if !raft.IsEmptyHardState(rd.HardState) {
		term, vote = rd.HardState.GetTerm(), rd.HardState.GetVote()
	}
	leader := e.leads
	if e.alone() && nodeID(vote) == e.cfg.NodeID {
		leader = e.cfg.NodeID // the election is won already: one write tells both
	}
	if term != e.voted.GetTerm() || vote != e.voted.GetVote() || leader != kafka.NoNode && leader != e.votedLeader {
		if err := e.writeQuorumState(term, nodeID(vote), leader); err != nil {
			return err
		}
		e.voted = &raftpb.HardState{Term: &term, Vote: &vote}
		e.votedLeader = leader
	}
	if !raft.IsEmptySnap(rd.Snapshot) {
		if err := e.installSnapshot(rd.Snapshot, now); err != nil {
			return err
		}
	}
	if len(rd.Entries) == 0 {
		return nil
	}
	if err := e.appendEntries(rd.Entries, now); err != nil {
		return err
	}
	if planted.Bug("metadata-not-synced") {
		return nil
	}
	point, err := e.log.Flush()
	if err != nil {
		return fmt.Errorf("sync the metadata log: %w", err)
	}
	e.appended = now
	if point-e.synced >= syncedEvery {
		return e.noteSynced()
	}
	return nil
}

// appendEntries writes the batches of entries. An empty entry is either covered by a batch before it, or the one
// that a new leader starts its epoch with: that becomes a LeaderChange control batch.
func (e *Engine) appendEntries(entries []*raftpb.Entry, now time.Time) error {
	if first := offset(entries[0].GetIndex()); first < e.log.LogEndOffset() {
		if err := e.log.TruncateTo(first, now); err != nil {
			return fmt.Errorf("truncate the metadata log to %d: %w", first, err)
		}
		e.storage.recent.reset()
		if e.members.Truncate(first) {
			e.reconfigure()
		}
	}
	var out []byte
	end := e.log.LogEndOffset()
	for _, entry := range entries {
		at := offset(entry.GetIndex())
		if len(entry.Data) == 0 && at < end {
			continue
		}
		b := record.Batch(entry.Data)
		if len(entry.Data) == 0 {
			var err error
			if b, err = e.leaderChange(at, now); err != nil {
				return err
			}
		}
		if b.BaseOffset() != at || at != end || uint64(b.LeaderEpoch()) != entry.GetTerm() {
			return fmt.Errorf("%w: batch %v for index %d of term %d after offset %d", ErrDamaged, b, entry.GetIndex(), entry.GetTerm(), end)
		}
		if err := e.noteVoters(b); err != nil {
			return err
		}
		end = b.NextOffset()
		out = append(out, b...)
		e.storage.recent.add(b)
	}
	if len(out) == 0 {
		return nil
	}
	if _, err := e.log.Append(out, now); err != nil {
		return fmt.Errorf("append to the metadata log: %w", err)
	}
	if e.leader != nil {
		e.leader.next = max(e.leader.next, end)
	}
	return nil
}

// noteVoters counts with the voters of a batch from here on, if it says who they are.
func (e *Engine) noteVoters(b record.Batch) error {
	if !b.IsControl() {
		return nil
	}
	d, err := metalog.Decode(b)
	if err == nil && e.members.Note(d) {
		e.promote()
		e.cfg.Log.Info("the voters of the metadata quorum change", "voters", e.members.Last().IDs(), "offset", b.BaseOffset())
		e.reconfigure()
		if e.active() {
			e.leader.controller.SetVoters(e.members.Last().IDs(), metadata.Level(e.members.Last().KRaft))
		}
	}
	return err
}

// leaderChange is the control batch that starts an epoch.
func (e *Engine) leaderChange(at kafka.Offset, now time.Time) (record.Batch, error) {
	if e.leader == nil {
		return nil, fmt.Errorf("%w: an empty entry at offset %d that is not this node's", ErrDamaged, at)
	}
	m := schema.NewLeaderChangeMessage()
	m.LeaderID = int32(e.cfg.NodeID)
	for _, v := range e.members.Last().Set {
		voter := schema.LeaderChangeVoter{VoterID: int32(v.ID), VoterDirectoryID: v.Directory}
		m.Voters = append(m.Voters, voter)
		if v.ID == e.cfg.NodeID {
			m.GrantingVoters = append(m.GrantingVoters, voter)
		}
	}
	return e.leader.enc.Control(nil, at, e.leader.epoch, now.UnixMilli(), metalog.ControlRecord{Kind: record.LeaderChange, Body: &m})
}

// maxMessage bounds what a voter is sent at once, in bytes, if that is more than one batch. One that is far behind has to answer within
// controller.quorum.request.timeout.ms; it asks for the rest, which it misses.
const maxMessage = 4 << 20

// whole returns the entries of the first batches, as many as fit into a message.
func whole(entries []*raftpb.Entry) []*raftpb.Entry {
	size := 0
	for i, entry := range entries {
		if size += len(entry.Data); len(entry.Data) > 0 && i > 0 && size > maxMessage {
			return entries[:i]
		}
	}
	return entries
}

// outgoing fills in what only the log knows: the batch of the entry that starts an epoch.
func (e *Engine) outgoing(messages []*raftpb.Message) []*raftpb.Message {
	for _, m := range messages {
		if m.GetType() == raftpb.MsgApp {
			m.Entries = whole(m.Entries)
		}
		for i, entry := range m.Entries {
			if len(entry.Data) > 0 {
				continue
			}
			at := offset(entry.GetIndex())
			for _, b := range e.storage.recent.from(at, at+1) {
				if b.BaseOffset() == at {
					m.Entries[i] = &raftpb.Entry{Index: entry.Index, Term: entry.Term, Data: b}
				}
			}
		}
	}
	return messages
}

// applyEntry publishes a batch when its last entry is committed.
func (e *Engine) applyEntry(entry *raftpb.Entry, now time.Time) error {
	if e.applying == nil || offset(entry.GetIndex()) > e.applying.LastOffset() {
		batches, err := e.storage.batches(offset(entry.GetIndex()), offset(entry.GetIndex())+1, 1<<20)
		if err != nil {
			return err
		}
		e.applying = batches[0]
	}
	if offset(entry.GetIndex()) < e.applying.LastOffset() {
		return nil
	}
	return e.applyBatch(e.applying)
}

func (e *Engine) applyBatch(b record.Batch) error {
	e.members.Commit(b.NextOffset())
	e.snapshots.Logged(len(b))
	e.committed = b.NextOffset()
	if e.leader != nil && len(e.leader.pending) > 0 && e.leader.pending[0].last == b.LastOffset() {
		e.publish(e.leader.pending[0].change)
		e.loader = metadata.NewLoader(e.Image())
		e.leader.answer(b.LastOffset())
		return nil
	}
	if e.active() {
		return fmt.Errorf("%w: batch %v is not the controller's", ErrDamaged, b)
	}
	d, err := metalog.Decode(b)
	if err != nil {
		return err
	}
	change, err := e.loader.Replay(d.Batch)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	e.publish(change)
	return nil
}

// publish shows a committed change to everybody.
func (e *Engine) publish(change metadata.Change) { e.Post(change, e.publishStatus) }
