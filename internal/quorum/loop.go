package quorum

import (
	"context"
	"fmt"
	"time"

	"go.etcd.io/raft/v3"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
)

// Close closes the log of an engine that never ran; of one that did, Run has. Nobody is elected.
func (e *Engine) Close() error {
	e.Stop()
	return e.stop(e.cfg.Now(), nil)
}

// Run works until ctx ends or the log fails, and closes the log; nothing that it started is left then. It returns nil
// at the end of ctx.
func (e *Engine) Run(ctx context.Context) error {
	defer e.Stop()
	e.life, e.end = context.WithCancel(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := e.cfg.Now()
		if err := e.step(now); err != nil {
			return e.stop(now, err)
		}
		timer.Reset(max(0, e.deadline().Sub(now)))
		select {
		case r := <-e.requests:
			e.inbox = append(e.inbox, r)
		case m := <-e.messages:
			e.receive(m)
		case done := <-e.written.done:
			e.written.got = &done // for step, in order with the rest
		case got := <-e.fetched.done:
			e.fetched.got = &got
		case got := <-e.found.done:
			e.found.got = &got
		case err := <-e.joined.done:
			e.joined.got = &err
		case v := <-e.arrivals:
			e.arrived = append(e.arrived, v)
		case done := <-e.resigns:
			e.resign(done)
		case <-e.subscribed:
		case <-timer.C:
		case <-ctx.Done():
			return e.stop(e.cfg.Now(), nil)
		}
	}
}

// collect takes the requests and messages that wait, not all that a flood of them brings meanwhile: one sync of the disk answers them
// together.
func (e *Engine) collect() {
	for n := 0; n < maxQueued && len(e.inbox) < maxQueued; n++ {
		select {
		case r := <-e.requests:
			e.inbox = append(e.inbox, r)
		case m := <-e.messages:
			e.receive(m)
		default:
			return
		}
	}
}

// electionTicks is how long a voter hears nothing of a leader before it wants to be one; Raft adds up to as much by lot.
const electionTicks = 10

// heartbeatTicks lie between a leader's heartbeats, three of which fit into the shortest silence that leads to an election. While somebody
// leads nothing else is done by ticks, and the loop sleeps as long: an idle cluster is nearly free. That a leader's process has ended its
// connections tell ([Engine.Gone]).
const heartbeatTicks = 3

// mostTicks is how many ticks Raft gets at once. A node that stood still has not heard of the others because it did not listen: it must
// not take what they said meanwhile, which it reads first, for the silence of a whole election.
const mostTicks = heartbeatTicks

// nextTick is when Raft is to be told of the time again.
func (e *Engine) nextTick() time.Time {
	if e.leads == kafka.NoNode {
		return e.lastTick.Add(e.cfg.Tick)
	}
	return e.lastTick.Add(heartbeatTicks * e.cfg.Tick)
}

func (e *Engine) tick(now time.Time) {
	if late := now.Add(-mostTicks * e.cfg.Tick); late.After(e.lastTick) {
		e.lastTick = late
	}
	for ; now.Sub(e.lastTick) >= e.cfg.Tick; e.lastTick = e.lastTick.Add(e.cfg.Tick) {
		e.raft.Tick()
	}
}

// step does everything that can be done now. An error is the disk's, or damage: the engine can't go on.
func (e *Engine) step(now time.Time) error {
	e.Welcome()
	e.collect()
	if done, ok := e.written.take(); ok {
		if err := e.snapshotWritten(now, done); err != nil {
			return err
		}
	}
	if e.lost != nil {
		return e.lost
	}
	e.snapshotFetched()
	if e.alone() {
		if e.leader == nil && e.raft.BasicStatus().RaftState == raft.StateFollower {
			if err := e.raft.Campaign(); err != nil {
				return fmt.Errorf("elect itself: %w", err)
			}
		}
	}
	if err := e.ready(now); err != nil {
		return err
	}
	if err := e.pace(now); err != nil {
		return err
	}
	e.handleInbox(now) // first: a heartbeat may lie in it
	e.expire(now)
	if err := e.ready(now); err != nil {
		return err
	}
	e.resigned()
	e.maybeSnapshot(now)
	return e.snapshots.Reap(e.log, now)
}

// pace does what a quorum of several does by time. What was received is written by now: who stands for election is a voter by its own log.
func (e *Engine) pace(now time.Time) error {
	if m := e.handover; m != nil {
		e.handover = nil
		e.pass(m)
	}
	e.meetOthers(now)
	e.seek(now)
	e.join(now)
	if e.still() {
		return nil
	}
	e.tick(now)
	e.dropLearners(now)
	return e.stand(now)
}

// still reports whether nobody needs to hear of this node from time to time.
func (e *Engine) still() bool { return e.alone() && len(e.learners) == 0 }

// stallTolerance is how late the loop may be before it blames itself for the silence of brokers: a stopped process
// or a disk that hangs must not fence brokers whose heartbeats nobody read.
const stallTolerance = time.Second

// expire does what is due by time alone.
func (e *Engine) expire(now time.Time) {
	if !e.active() {
		return
	}
	if due := e.leader.controller.Deadline(); !due.IsZero() && now.Sub(due) > stallTolerance {
		// The loop should have looked at that time: it was this process that stood still, not the broker.
		e.cfg.Log.Warn("the metadata quorum stood still", "for", now.Sub(due))
		e.leader.controller.RenewSessions(now)
	}
	for {
		due := e.leader.controller.Deadline()
		if due.IsZero() || due.After(now) {
			break
		}
		if b, silent := e.leader.controller.Silent(now); b != nil {
			e.cfg.Log.Warn("a broker is fenced, as nothing was heard from it for broker.session.timeout.ms", "broker", b.ID, "epoch", b.Epoch, "silent", silent)
		}
		if !e.command(now, &request{cmd: controller.Expire{}}) {
			break
		}
	}
	if e.cfg.IdleInterval > 0 && now.Sub(e.appended) >= e.cfg.IdleInterval {
		e.noOp(now)
	}
}

// handleInbox lets the controller decide on what was asked. Requests wait while this node is about to become active.
func (e *Engine) handleInbox(now time.Time) {
	if !e.active() {
		if e.leader == nil && !e.alone() {
			for _, r := range e.inbox {
				r.answer(nil, ErrNotController)
			}
			e.inbox = nil
		}
		return
	}
	inbox := e.inbox
	e.inbox = nil
	for _, r := range inbox {
		switch {
		case !e.active():
			r.answer(nil, ErrNotController)
		case r.change != nil:
			e.changeVoters(now, r)
		default:
			e.command(now, r)
		}
	}
	if e.inbox == nil {
		clear(inbox)
		e.inbox = inbox[:0]
	}
}

// answer sends what a request leads to; nobody may wait for it any more.
func (r *request) answer(response any, err error) {
	if r != nil && r.done != nil {
		r.done <- reply{response, err}
	}
}

// deadline returns when step has something to do by itself.
func (e *Engine) deadline() time.Time {
	first := e.cfg.Now().Add(time.Hour)
	earlier := func(t time.Time) {
		if !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	if !e.still() {
		earlier(e.nextTick())
		earlier(e.standAt)
	}
	if e.active() {
		earlier(e.leader.controller.Deadline())
		if e.cfg.IdleInterval > 0 {
			earlier(e.appended.Add(e.cfg.IdleInterval))
		}
	}
	if at, ok := e.snapshots.Due(e.Image().End()); ok {
		earlier(at)
	}
	earlier(e.snapshots.ReapAt())
	return first
}

// stop answers everybody and closes the log: cleanly, unless it failed.
func (e *Engine) stop(now time.Time, err error) error {
	e.end()
	if got, was := e.fetched.wait(); was && got.err != nil { // whoever starts on this folder is offered it again
		e.cfg.Log.Debug("a metadata snapshot was not fetched before the end", "err", got.err)
	}
	e.found.wait()
	if err, was := e.joined.wait(); was {
		e.voteAsked(err)
	}
	if done, was := e.written.wait(); was && err == nil {
		err = e.snapshotWritten(now, done)
	}
	why := ErrStopped
	if err != nil {
		why = fmt.Errorf("%w: %w", ErrStopped, err)
	}
	for _, r := range e.inbox {
		r.answer(nil, why)
	}
	e.dropPending(why)
	if err != nil {
		e.log.Abandon()
		return err
	}
	_, err = e.log.Flush()
	if err == nil {
		err = e.noteSynced()
	}
	if err != nil {
		e.log.Abandon()
		return fmt.Errorf("close the metadata log: %w", err)
	}
	if err := e.log.Close(now); err != nil {
		return fmt.Errorf("close the metadata log: %w", err)
	}
	return nil
}

// errNotProposed says that Raft did not take a batch: this node is handing over to another, which may be asked instead.
var errNotProposed = fmt.Errorf("%w: raft did not take the batch", ErrNotController)
