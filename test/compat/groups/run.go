package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/test/compat/clients"
	"github.com/ottla/ottla/test/compat/peer"
	"github.com/ottla/ottla/test/compat/replicas"
)

const (
	// session is the session timeout of the members, staticSession that of static ones: they have to be back within it, and a
	// JVM takes its time to start.
	session       = 6 * time.Second
	staticSession = 12 * time.Second
	// patience is how long anything may take.
	patience = 60 * time.Second
	// overlap is how long the line that gives a partition up may be behind the one that gets it.
	overlap = 5 * time.Second
)

// run is one client in one mode, on a server of its own.
type run struct {
	client  clients.Client
	mode    string
	dir     string
	install *clients.Installer
	verbose bool

	nodes   int // of its cluster
	servers *peer.Cluster
	source  *source
	events  chan event
	ledger  *ledger
	took    []string
	waiting []event
	// quiet are members that must own what they own until the phase is over.
	quiet []*process
}

// do plays the whole story; the report says how long each phase took.
func (r *run) do(ctx context.Context, kind peer.Kind, binary string) (report string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	r.events, r.ledger = make(chan event, 1024), newLedger()
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return "", err
	}
	o := peer.Options{Dir: filepath.Join(r.dir, "server"), Binary: binary, Short: r.nodes > 1, Properties: map[string]string{
		"group.initial.rebalance.delay.ms": "500", "group.min.session.timeout.ms": "1000",
		"group.consumer.session.timeout.ms": "6000", "group.consumer.min.session.timeout.ms": "6000",
		"group.consumer.heartbeat.interval.ms": "1000", "group.consumer.min.heartbeat.interval.ms": "1000",
		"offsets.topic.num.partitions": "4",
	}}
	if r.servers, err = peer.StartCluster(ctx, kind, r.nodes, o); err != nil {
		return "", err
	}
	defer func() { _ = r.servers.Kill() }()
	if err := r.insync(ctx); err != nil {
		return "", err
	}
	if r.source, err = openSource(ctx, r.servers.Addrs(), "ids"); err != nil {
		return "", err
	}
	err = r.story(ctx)
	if err == nil && len(r.ledger.faults) > 0 {
		err = errors.New(strings.Join(r.ledger.faults, "; "))
	}
	if err != nil {
		return "", fmt.Errorf("%w\n      %s", err, r.ledger)
	}
	return fmt.Sprintf("%d records, %d read again; %s", r.ledger.reads, r.ledger.again, strings.Join(r.took, ", ")), nil
}

// story is what happens to the group.
func (r *run) story(ctx context.Context) error {
	a, err := r.join(ctx, "a")
	if err != nil {
		return err
	}
	if err := r.settle(ctx, "alone", a); err != nil {
		return err
	}
	b, err := r.join(ctx, "b")
	if err != nil {
		return err
	}
	if err := r.settle(ctx, "joined", a, b); err != nil {
		return err
	}
	if r.mode == static {
		if b, err = r.bounce(ctx, a, b); err != nil {
			return err
		}
	}
	c, err := r.join(ctx, "c")
	if err != nil {
		return err
	}
	if err := r.settle(ctx, "third", a, b, c); err != nil {
		return err
	}
	if r.mode != static { // a static member does not leave by going
		c.leave()
		if err := r.until(ctx, "left", func() bool { return r.settled(a, b) && r.progress() }); err != nil {
			return err
		}
	} else {
		r.crash(c)
		if err := r.settle(ctx, "third gone", a, b); err != nil {
			return err
		}
	}
	r.crash(b)
	if err := r.settle(ctx, "crash", a); err != nil {
		return err
	}
	if err := r.restart(ctx); err != nil {
		return err
	}
	if err := r.settle(ctx, "server restart", a); err != nil {
		return err
	}
	return r.finish(ctx, a)
}

// finish ends the last member, lets a new one go on where it was, and reads to the end.
func (r *run) finish(ctx context.Context, a *process) error {
	a.leave()
	if err := r.until(ctx, "", func() bool { _, there := r.ledger.owns[a]; return !there }); err != nil {
		return err
	}
	r.ledger.crashed(a)
	d, err := r.join(ctx, "d")
	if err != nil {
		return err
	}
	if err := r.settle(ctx, "resumed", d); err != nil {
		return err
	}
	if err := r.source.close(ctx); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	err = r.until(ctx, "end", r.progressTo(0))
	d.leave()
	return errors.Join(err, r.until(ctx, "", func() bool { _, there := r.ledger.owns[d]; return !there }))
}

// join starts a member.
func (r *run) join(ctx context.Context, name string) (*process, error) {
	m := member{Group: "readers", Topic: "ids", Mode: r.mode, Commit: commits[r.mode], SessionMs: int(session.Milliseconds())}
	if r.mode == static {
		m.Instance, m.SessionMs = strings.TrimSuffix(name, "2"), int(staticSession.Milliseconds())
	}
	p, err := r.spawn(ctx, name, m)
	if err == nil {
		r.ledger.owns[p] = map[int32]bool{}
	}
	return p, err
}

// bounce kills a static member and starts it anew: the other one must keep what it has.
func (r *run) bounce(ctx context.Context, a, b *process) (*process, error) {
	had := r.ledger.shares(a)
	r.crash(b)
	r.quiet = []*process{a}
	again, err := r.join(ctx, b.name+"2")
	if err != nil {
		return nil, err
	}
	if err := r.settle(ctx, "static restart", a, again); err != nil {
		return nil, err
	}
	r.quiet = nil
	if got := r.ledger.shares(a); !slices.Equal(had, got) {
		return nil, fmt.Errorf("after a static restart the other member owns %v partitions, not %v", got, had)
	}
	return again, nil
}

func (r *run) crash(p *process) {
	p.kill()
	r.ledger.crashed(p)
}

// restart ends every server in turn as a crash does, and starts it on the same directory and port.
func (r *run) restart(ctx context.Context) error {
	for i := range r.servers.Len() {
		if err := r.servers.Node(i).Kill(); err != nil {
			return err
		}
		if err := r.servers.Start(ctx, i); err != nil {
			return err
		}
		if err := r.insync(ctx); err != nil {
			return err
		}
	}
	return nil
}

// insync waits until the servers have found each other, and all replicas are in sync.
func (r *run) insync(ctx context.Context) error {
	return replicas.Settle(ctx, r.servers, patience, nil)
}

// settle waits until the members share the partitions evenly and have read what is there now.
func (r *run) settle(ctx context.Context, phase string, members ...*process) error {
	progress := (func() bool)(nil)
	return r.until(ctx, phase, func() bool {
		if !r.settled(members...) {
			return false
		}
		if progress == nil {
			progress = r.progressTo(5)
		}
		return progress()
	})
}

// settled reports whether the partitions are shared evenly; members that can't tell are believed.
func (r *run) settled(members ...*process) bool {
	if mute(r.client.Name, r.mode) {
		return true
	}
	n := r.ledger.shares(members...)
	total := 0
	for _, k := range n {
		total += k
	}
	return total == partitions && n[len(n)-1]-n[0] <= 1
}

// progressTo reports, when it is asked later, whether all that is acknowledged now has been read, and some records more.
func (r *run) progressTo(more int64) func() bool {
	ends, _ := r.source.acked()
	for id := range ends {
		ends[id] += more
	}
	return func() bool { return r.ledger.readTo(ends) }
}

// progress reports whether everything acknowledged a little ago has been read.
func (r *run) progress() bool {
	ends, _ := r.source.acked()
	for id := range ends {
		ends[id] -= 200
	}
	return r.ledger.readTo(ends)
}

// until takes events until something holds, and notes how long that took.
func (r *run) until(ctx context.Context, phase string, holds func() bool) error {
	began := time.Now()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case e := <-r.events:
			r.take(e)
		case <-tick.C:
			r.release()
		case <-timeout.C:
			return fmt.Errorf("%s: not within %v", phase, patience)
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", phase, ctx.Err())
		}
		if _, err := r.source.acked(); err != nil {
			return fmt.Errorf("%s: produce: %w", phase, err)
		}
		if len(r.ledger.faults) > 0 {
			return fmt.Errorf("%s: %s", phase, strings.Join(r.ledger.faults, "; "))
		}
	}
	if phase != "" {
		r.took = append(r.took, fmt.Sprintf("%s %.1fs", phase, time.Since(began).Seconds()))
	}
	return nil
}

// take enters an event, unless it has to wait: the lines of two processes may come in another order than they were printed in,
// so that a partition is assigned to one before the other is heard to give it up.
func (r *run) take(e event) {
	r.waiting = append(r.waiting, e)
	r.release()
}

// release enters the events that need not wait any more, those of one process in order.
func (r *run) release() {
	for entered := true; entered; {
		entered = false
		held := map[*process]bool{}
		rest := r.waiting[:0]
		for _, e := range r.waiting {
			if held[e.from] || r.ledger.contested(e) && time.Since(e.at) < overlap {
				held[e.from] = true
				rest = append(rest, e)
				continue
			}
			entered = true
			r.enter(e)
		}
		r.waiting = rest
	}
}

func (r *run) enter(e event) {
	if r.verbose && len(e.Read) == 0 {
		fmt.Printf("      %s %s: assigned %v revoked %v committed %v left %v ended %v %s\n", r.client.Name, e.from.name,
			e.Assigned, e.Revoked, e.Committed, e.Left, e.ended, e.Error)
	}
	if slices.Contains(r.quiet, e.from) && len(e.Revoked) > 0 {
		r.ledger.fault("%s gave up %v while a static member restarted", e.from.name, e.Revoked)
	}
	r.ledger.take(e)
}
