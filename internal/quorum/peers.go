package quorum

import (
	"errors"
	"fmt"
	"math"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/ottla/ottla/internal/record"
)

// Errors of Deliver.
var (
	// ErrNoMessage says that the bytes are no message of one voter to another.
	ErrNoMessage = errors.New("this is no message between voters")
	// ErrNotVoter says that the sender or this node is not the voter that the sender takes it for: it has another disk.
	ErrNotVoter = errors.New("this is not that voter")
	// ErrOtherDisk is the ErrNotVoter of a node that has another disk than its voter.
	ErrOtherDisk = fmt.Errorf("%w any more: its disk is another one", ErrNotVoter)
)

// inbound is a message on its way to the loop, and who sent it; zero for what this node says itself.
type inbound struct {
	*raftpb.Message
	from Voter
}

// Deliver hands messages of another voter to the loop, where from says how that one can be reached. It drops them when the loop is behind: Raft
// repeats. Errors wrap ErrNoMessage and ErrNotVoter.
func (e *Engine) Deliver(from Voter, to ReplicaKey, messages [][]byte) error {
	if from.ID == e.cfg.NodeID {
		return fmt.Errorf("%w: node %d is this one", ErrNotVoter, from.ID)
	}
	known := e.counts(from.Key())
	if known != nil && e.Shown().KRaftVersion == 0 {
		return known
	}
	if to.ID != e.cfg.NodeID || to.Directory != e.cfg.Directory && !to.Directory.IsZero() {
		return fmt.Errorf("%w: messages are for node %d with directory %v", ErrOtherDisk, to.ID, to.Directory)
	}
	for _, b := range messages {
		m := new(raftpb.Message)
		if err := proto.Unmarshal(b, m); err != nil {
			return fmt.Errorf("%w: %w", ErrNoMessage, err)
		}
		if !between(m.GetType()) || nodeID(m.GetFrom()) != from.ID || nodeID(m.GetTo()) != e.cfg.NodeID {
			return fmt.Errorf("%w: %v from %d to %d", ErrNoMessage, m.GetType(), nodeID(m.GetFrom()), nodeID(m.GetTo()))
		}
		if known != nil && answers(m.GetType()) {
			return known
		}
		if err := e.sound(m); err != nil {
			return fmt.Errorf("%w: %v from %d: %w", ErrNoMessage, m.GetType(), from.ID, err)
		}
		select {
		case e.messages <- inbound{m, from}:
		default:
			return nil // what follows would come out of turn
		}
	}
	return nil
}

// counts returns nil for one whose answers this node counts: a voter with the disk that it has as such, or who follows this leader without a vote.
func (e *Engine) counts(r ReplicaKey) error {
	e.mu.Lock()
	follower, follows := e.followers[r.ID]
	e.mu.Unlock()
	v, ok := e.Voter(r.ID)
	switch {
	case follows && follower.Key() == r:
		return nil
	case !ok:
		return fmt.Errorf("%w: node %d is none of the voters", ErrNotVoter, r.ID)
	case v.Directory != r.Directory && !v.Directory.IsZero():
		return fmt.Errorf("%w: node %d has directory %v, and %v as a voter", ErrNotVoter, r.ID, r.Directory, v.Directory)
	}
	return nil
}

// answers reports whether whoever gets a message of a type counts it: as a vote, or as a copy of the log. Only voters with the disk that the log
// names do that. What leaders and candidates send can come from one that this node's log does not know yet: others elected it.
func answers(t raftpb.MessageType) bool {
	switch t {
	case raftpb.MsgAppResp, raftpb.MsgVoteResp, raftpb.MsgPreVoteResp, raftpb.MsgHeartbeatResp:
		return true
	}
	return false
}

// between reports whether voters send each other messages of a type.
func between(t raftpb.MessageType) bool {
	switch t {
	case raftpb.MsgApp, raftpb.MsgAppResp, raftpb.MsgVote, raftpb.MsgVoteResp, raftpb.MsgPreVote, raftpb.MsgPreVoteResp,
		raftpb.MsgHeartbeat, raftpb.MsgHeartbeatResp, raftpb.MsgSnap, raftpb.MsgTimeoutNow:
		return true
	}
	return false
}

// maxLead bounds how many terms a message may be ahead. Elections are far too rare for more, and a term can't be taken back: one beyond Kafka's
// epochs would be the end of the quorum.
const maxLead = 1 << 20

// sound looks for what Raft would panic over, or this engine: it trusts its peers.
func (e *Engine) sound(m *raftpb.Message) error {
	end := uint64(e.log.LogEndOffset())
	switch {
	case m.GetTerm() == 0:
		return errors.New("no term")
	case m.GetTerm() > min(uint64(e.Shown().Epoch)+maxLead, math.MaxInt32) || m.GetLogTerm() > m.GetTerm():
		return fmt.Errorf("term %d, of the log %d, and this voter is in term %d", m.GetTerm(), m.GetLogTerm(), e.Shown().Epoch)
	case m.GetType() == raftpb.MsgAppResp && !m.GetReject() && m.GetIndex() > end:
		return fmt.Errorf("index %d acknowledged, the log ends at %d", m.GetIndex(), end)
	case m.GetType() == raftpb.MsgSnap && (m.GetSnapshot().GetMetadata().GetIndex() > math.MaxInt64 || m.GetSnapshot().GetMetadata().GetTerm() > m.GetTerm()):
		return errors.New("a snapshot of no offset")
	}
	next, term := m.GetIndex(), m.GetLogTerm()
	for _, entry := range m.GetEntries() {
		next++
		if entry.GetIndex() != next || entry.GetTerm() < term || entry.GetTerm() > m.GetTerm() {
			return fmt.Errorf("index %d of term %d after %d of %d", entry.GetIndex(), entry.GetTerm(), next-1, term)
		}
		term = entry.GetTerm()
		if len(entry.GetData()) == 0 {
			continue
		}
		b, rest, err := record.Next(entry.GetData())
		if err == nil {
			err = b.CheckCRC()
		}
		if err != nil || len(rest) > 0 || index(b.BaseOffset()) != next || uint64(b.LeaderEpoch()) != term {
			return fmt.Errorf("index %d is not where its batch belongs: %w", next, err)
		}
	}
	return nil
}

// Unreachable tells that messages to a replica were lost, so that Raft tries again with fewer.
func (e *Engine) Unreachable(r ReplicaKey) {
	m := &raftpb.Message{Type: raftpb.MsgUnreachable.Enum(), From: new(raftID(r.ID))}
	select {
	case e.messages <- inbound{m, Voter{ID: r.ID, Directory: r.Directory}}:
	default:
	}
}

// receive hands Raft a message of a peer. What Raft refuses is noise: a peer that is no longer one, or too late.
func (e *Engine) receive(in inbound) {
	m := in.Message
	if e.members.Last().KRaft > 0 && e.counts(in.from.Key()) != nil {
		if answers(m.GetType()) || m.GetType() == raftpb.MsgUnreachable {
			return // it was taken for another disk until a moment ago
		}
		e.meet(in.from) // others elected it, or may: it is to be answered
	} else if e.active() && len(e.arrived) == 0 && e.elsewhere(in.from) {
		e.arrived = append(e.arrived, in.from)
	}
	switch m.GetType() {
	case raftpb.MsgApp, raftpb.MsgHeartbeat, raftpb.MsgSnap:
		e.heard = e.cfg.Now()
	}
	if l, follows := e.learners[in.from.ID]; follows && l.Key() == in.from.Key() && (answers(m.GetType()) || m.GetType() == raftpb.MsgUnreachable) {
		m.From = new(learnerID(l))
	}
	switch m.GetType() {
	case raftpb.MsgUnreachable:
		e.raft.ReportUnreachable(m.GetFrom())
		return
	case raftpb.MsgForgetLeader:
		e.leaderGone(nodeID(m.GetFrom()))
		return
	case raftpb.MsgSnap:
		e.offered(m)
		return
	case raftpb.MsgAppResp, raftpb.MsgHeartbeatResp:
		e.heardOf(m, in.from.Key())
	case raftpb.MsgTimeoutNow:
		e.handover = m
		return
	case raftpb.MsgHeartbeat:
		// The leader tells no more than this voter has told to have. Raft would panic.
		if last, _ := e.storage.LastIndex(); m.GetCommit() > last && m.GetTerm() >= e.voted.GetTerm() {
			e.lost = fmt.Errorf("%w: the leader, node %d, knows that this voter had the metadata log up to offset %d, and it ends at %d: %s",
				ErrDamaged, nodeID(m.GetFrom()), m.GetCommit(), last, e.wayBack())
			return
		}
	}
	e.pass(m)
}

func (e *Engine) pass(m *raftpb.Message) {
	if err := e.raft.Step(m); err != nil {
		e.cfg.Log.Debug("raft refused a message", "type", m.GetType(), "from", nodeID(m.GetFrom()), "err", err)
	}
}

// send encodes messages and hands them out by voter, in the order of the first to each. Those to one that was removed meanwhile are lost.
func (e *Engine) send(messages []*raftpb.Message) error {
	for len(messages) > 0 {
		to := messages[0].GetTo()
		var encoded [][]byte
		var rest []*raftpb.Message
		for _, m := range messages {
			if m.GetTo() != to {
				rest = append(rest, m)
				continue
			}
			m.To = new(to &^ unvoting) // nobody else knows of two ids
			b, err := proto.Marshal(m)
			m.To = new(to)
			if err != nil {
				return fmt.Errorf("encode a message to node %d: %w", nodeID(to&^unvoting), err)
			}
			encoded = append(encoded, b)
		}
		if peer, known := e.addressee(to); known {
			e.cfg.Send(peer.Key(), encoded)
		}
		messages = rest
	}
	return nil
}

// addressee is who has an id in this node's Raft: of a node whose voter is not the disk that follows this leader, one or the other.
func (e *Engine) addressee(id uint64) (Voter, bool) {
	l, follows := e.learners[nodeID(id&^unvoting)]
	switch {
	case id&unvoting != 0:
		return l, follows
	case follows:
		return e.members.Last().Find(l.ID)
	}
	return e.Peer(nodeID(id))
}

// reportSnapshots has Raft try the next step with those that were offered a snapshot. Whoever is still fetching it is offered it again,
// once for each heartbeat, and takes it for what it has already.
func (e *Engine) reportSnapshots(sent []*raftpb.Message) {
	for _, m := range sent {
		if m.GetType() == raftpb.MsgSnap {
			e.raft.ReportSnapshot(m.GetTo(), raft.SnapshotFinish)
		}
	}
}

// wayBack says what to do with a voter that has forgotten what it promised.
func (e *Engine) wayBack() string {
	dynamic := ""
	if e.members.Last().KRaft == 0 {
		dynamic = "kafka-features upgrade --feature kraft.version=1, "
	}
	return fmt.Sprintf("its disk was wiped, or is an older copy, and it must not vote again as the one that it was. Keep it stopped; %skafka-metadata-quorum remove-controller -i %d; "+
		"then format it with --no-initial-controllers and controller.quorum.bootstrap.servers in the place of controller.quorum.voters, start it, and add-controller "+
		"(docs/operate/cluster.md, When a disk is lost)", dynamic, e.cfg.NodeID)
}
