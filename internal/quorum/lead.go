package quorum

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/schema"
)

// leadership is what exists only while this node leads the quorum.
type leadership struct {
	epoch kafka.LeaderEpoch
	// controller is nil until everything of earlier leaders is committed and replayed.
	controller *controller.Controller
	next       kafka.Offset // of the next record
	enc        metalog.Encoder
	pending    []pending // appended or waiting behind an append, in order
}

// pending is a batch on its way through Raft, or a read that saw one: what it leads to, and who waits for that.
type pending struct {
	last     kafka.Offset
	change   metadata.Change // its Image is nil for a read
	request  *request        // nil when nobody asked
	response any
}

// active reports whether the controller of this node decides.
func (e *Engine) active() bool { return e.leader != nil && e.leader.controller != nil }

// answer tells those that waited for the records up to last.
func (l *leadership) answer(last kafka.Offset) {
	n := 0
	for n < len(l.pending) && l.pending[n].last <= last {
		l.pending[n].request.answer(l.pending[n].response, nil)
		n++
	}
	l.pending = slices.Delete(l.pending, 0, n)
}

// dropPending refuses those who wait: their records may yet be committed by another leader, or not.
func (e *Engine) dropPending(why error) {
	if e.leader == nil {
		return
	}
	for _, p := range e.leader.pending {
		p.request.answer(nil, why)
	}
	e.leader.pending = nil
}

// maybeActivate starts the controller once the entry that began the epoch is committed: then all before it is too.
func (e *Engine) maybeActivate(now time.Time) error {
	l := e.leader
	if l == nil || l.controller != nil || l.next == 0 || e.committed < l.next {
		return nil
	}
	if epoch := e.raft.BasicStatus().HardState.GetTerm(); uint64(l.epoch) != epoch {
		return nil
	}
	l.controller = controller.New(e.controllerConfig(), e.loader.Fork(), now)
	return e.activate(now)
}

// leadAlone starts the controller of a lone voter the moment that it is elected: all that is on its disk is committed,
// and so the first commands go to the disk together with the entry that begins the epoch, in one sync.
func (e *Engine) leadAlone(now time.Time) error {
	basic := e.raft.BasicStatus()
	end := e.log.LogEndOffset() // where the entry that begins the epoch will lie
	if e.leader != nil || !e.alone() || basic.RaftState != raft.StateLeader || e.committed < end {
		return nil // or others voted until a moment ago: not all is applied
	}
	l := &leadership{epoch: kafka.LeaderEpoch(basic.HardState.GetTerm()), next: end + 1}
	l.controller = controller.New(e.controllerConfig(), e.loader.Fork(), now)
	change, err := l.controller.Replay(now, metadata.Batch{Offset: end, Epoch: l.epoch, Timestamp: now.UnixMilli()})
	if err != nil {
		return fmt.Errorf("begin epoch %d: %w", l.epoch, err)
	}
	l.pending = append(l.pending, pending{last: end, change: change})
	e.leader = l
	if err := e.activate(now); err != nil {
		return err
	}
	e.handleInbox(now)
	return nil
}

// activate lets the controller of this epoch write what an epoch begins with. A leader that can't is none: whoever
// waits for it would wait for ever.
func (e *Engine) activate(now time.Time) error {
	l := e.leader
	e.cfg.Log.Info("active controller", "epoch", l.epoch, "offset", l.next)
	if e.bootstrap.KRaft > 0 && !e.members.Last().InLog {
		// The membership of a dynamic quorum goes from the bootstrap file into the log once (KIP-853).
		records := e.bootstrap.Records()
		b, err := l.enc.Control(nil, l.next, l.epoch, now.UnixMilli(), records...)
		if err == nil {
			err = e.propose(b, metadata.Batch{Offset: l.next + kafka.Offset(len(records)) - 1}, now, nil, nil)
		}
		if err != nil {
			return fmt.Errorf("write the membership into the metadata log: %w", err)
		}
	}
	if _, err := e.decide(now, &request{cmd: controller.Activate{}}); err != nil {
		return fmt.Errorf("activate the controller of epoch %d: %w", l.epoch, err)
	}
	e.cfg.Activated()
	return nil
}

func (e *Engine) controllerConfig() controller.Config {
	cfg := e.cfg.Controller
	cfg.NodeID = e.cfg.NodeID
	cfg.Voters = e.members.Last().IDs()
	cfg.KRaftVersion = metadata.Level(e.members.Last().KRaft)
	return cfg
}

// command lets the controller decide, appends what it decided, and answers if that fails. It reports whether there
// were records.
func (e *Engine) command(now time.Time, r *request) bool {
	wrote, err := e.decide(now, r)
	if err != nil {
		r.answer(nil, err)
	}
	return wrote
}

// decide is command, but leaves an error to the caller.
func (e *Engine) decide(now time.Time, r *request) (wrote bool, err error) {
	l := e.leader
	cmd, told := e.informed(r.cmd)
	result, err := l.controller.Handle(now, l.next, cmd)
	if err != nil {
		return false, err
	}
	if result.VotersIntoLog {
		return true, e.votersIntoLog(now, r, told, result)
	}
	if len(result.Records) == 0 {
		if len(l.pending) == 0 {
			r.answer(result.Response, nil)
			return false, nil
		}
		// What was decided may rest on records that are not committed yet.
		l.pending = append(l.pending, pending{last: l.next - 1, request: r, response: result.Response})
		return false, nil
	}
	err = e.proposeRecords(now, result.Records, r, result.Response)
	if err != nil && !errors.Is(err, ErrNotController) {
		e.cfg.Log.Error("a command of the controller failed", "command", fmt.Sprintf("%T", r.cmd), "err", err)
	}
	return err == nil, err
}

func (e *Engine) proposeRecords(now time.Time, records []metadata.Record, r *request, response any) error {
	l := e.leader
	b, err := l.enc.Data(nil, l.next, l.epoch, now.UnixMilli(), records)
	if err != nil {
		return err
	}
	return e.propose(b, metadata.Batch{Offset: l.next + kafka.Offset(len(records)) - 1, Records: bodies(records)}, now, r, response)
}

func bodies(records []metadata.Record) []schema.MetadataRecord {
	b := make([]schema.MetadataRecord, len(records))
	for i, r := range records {
		b[i] = r.Body
	}
	return b
}

// propose replays a batch into the controller and hands it to Raft. If either fails, the controller is made anew
// from the last good state.
func (e *Engine) propose(b []byte, decoded metadata.Batch, now time.Time, r *request, response any) error {
	l := e.leader
	decoded.Epoch, decoded.Timestamp = l.epoch, now.UnixMilli()
	good := l.controller.Image()
	change, err := l.controller.Replay(now, decoded)
	if err == nil {
		err = e.proposeEntries(b, decoded.Offset)
	}
	if err != nil {
		l.controller = controller.New(e.controllerConfig(), metadata.NewLoader(good), now)
		return err
	}
	l.pending = append(l.pending, pending{last: decoded.Offset, change: change, request: r, response: response})
	l.next = decoded.Offset + 1
	return nil
}

// proposeEntries makes the entries of a batch: its bytes ride on the first.
func (e *Engine) proposeEntries(b []byte, last kafka.Offset) error {
	entries := make([]*raftpb.Entry, last-e.leader.next+1)
	for i := range entries {
		entries[i] = &raftpb.Entry{}
	}
	entries[0].Data = b
	self, kind := raftID(e.cfg.NodeID), raftpb.MsgProp
	if err := e.raft.Step(&raftpb.Message{Type: &kind, From: &self, Entries: entries}); err != nil {
		return fmt.Errorf("%w: %w", errNotProposed, err)
	}
	return nil
}

// noOp writes a record that says nothing, for observers that judge a quorum by its progress.
func (e *Engine) noOp(now time.Time) {
	e.appended = now
	l := e.leader
	records := []metadata.Record{{Body: &schema.NoOpRecord{}}}
	b, err := l.enc.Data(nil, l.next, l.epoch, now.UnixMilli(), records)
	if err == nil {
		err = e.propose(b, metadata.Batch{Offset: l.next, Records: bodies(records)}, now, nil, nil)
	}
	if err != nil {
		e.cfg.Log.Error("write a no-op record", "err", err)
	}
}
