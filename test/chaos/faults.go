package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/ottla/ottla/test/pause"
)

// Times of a fault.
const (
	calm    = 300 * time.Millisecond // before each, at least
	short   = 3 * time.Second        // what ends by itself before anybody is taken for gone, at the most
	session = 9 * time.Second        // broker.session.timeout.ms
	patient = 50 * time.Second       // bounds the wait for what the cluster does about a fault: half more than replica.lag.time.max.ms
	settles = 90 * time.Second       // bounds the wait for all to be in sync again
	stops   = 15 * time.Second       // bounds a stop in good order
	allStop = 2 * time.Second        // the same, of all nodes at once
)

// victim is whom a fault is about: a node, and for some another one. Random is for what is drawn while it lasts.
type victim struct {
	node, other int
	random      *rand.Rand
}

// kind is a kind of fault.
type kind struct {
	needs []need
	begin func(context.Context, *cluster, victim) error
	// hold passes the time until the fault ends; nil ends it at once.
	hold func(context.Context, *cluster, *load, victim)
	end  func(context.Context, *cluster, victim) error
}

// need is what a kind of fault can't be done without; it says what is missing.
type need func(*cluster) error

var faults = map[string]kind{
	"kill":    {begin: kill, hold: recovered, end: start},
	"crash":   {begin: kill, end: start},
	"end":     {begin: stop, hold: recovered, end: start},
	"roll":    {begin: roll},
	"dark":    {begin: killAll, end: startAll},
	"evening": {begin: stopAll, end: startAll},
	"pause":   {begin: signals(syscall.SIGSTOP), hold: moment, end: signals(syscall.SIGCONT)},
	"freeze":  {begin: signals(syscall.SIGSTOP), hold: fenced, end: signals(syscall.SIGCONT)},
	"move":    {begin: moveAway, hold: recovered, end: moveBack},
	"isolate": {begin: cutting(fromAll), hold: shortOrRecovered, end: heal},
	"split":   {begin: cutting(fromNodes), hold: shortOrRecovered, end: heal},
	"cut":     {begin: cutting(fromOne), hold: shortOrRecovered, end: heal},
	"deaf":    {begin: cutting(toIt), hold: shortOrRecovered, end: heal},
	"mute":    {begin: cutting(fromIt), hold: shortOrRecovered, end: heal},
	"link":    {needs: []need{lineTool}, begin: narrow(true), hold: moment, end: narrow(false)},
	"full":    {needs: []need{ownDisk}, begin: fill, hold: moment, end: free},
	"slow":    {needs: []need{programs("strace")}, begin: slowDisk, hold: moment, end: fastDisk},
	"wipe":    {begin: kill, hold: recovered, end: wipe},
	"last":    {begin: last},
}

func init() { faults["pair"] = kind{begin: pair} } // it looks the others up

func kindNames() []string { return slices.Sorted(maps.Keys(faults)) }

func ownDisk(c *cluster) error {
	if _, ok := c.net.(*proxies); ok {
		return errNoDisk
	}
	return nil
}

// lineTool is what makes a line narrow, where that is the kernel's.
func lineTool(c *cluster) error {
	if _, ok := c.net.(*proxies); ok {
		return nil
	}
	return programs("tc")(c)
}

func programs(names ...string) need {
	return func(*cluster) error {
		if !has(names...) {
			return fmt.Errorf("%v is not on this machine", names)
		}
		return nil
	}
}

// missing says why a kind of fault can't be done here, nil if it can.
func (k kind) missing(c *cluster) error {
	for _, n := range k.needs {
		if err := n(c); err != nil {
			return err
		}
	}
	return nil
}

// recovered waits until every partition has taken something that was sent after the fault began.
func recovered(ctx context.Context, _ *cluster, l *load, _ victim) { l.progress(ctx, patient) }

// moment is a short time.
func moment(ctx context.Context, _ *cluster, _ *load, v victim) {
	_ = pause.For(ctx, time.Duration(v.random.Int64N(int64(short)))) // when interrupted it ends sooner
}

// shortOrRecovered is one or the other.
func shortOrRecovered(ctx context.Context, c *cluster, l *load, v victim) {
	if v.random.IntN(2) == 0 {
		moment(ctx, c, l, v)
		return
	}
	recovered(ctx, c, l, v)
}

// fenced waits until the session of a node has ended, and all goes on without it.
func fenced(ctx context.Context, c *cluster, l *load, v victim) {
	_ = pause.For(ctx, session)
	recovered(ctx, c, l, v)
}

func kill(_ context.Context, c *cluster, v victim) error    { return c.Node(v.node).Kill() }
func start(ctx context.Context, c *cluster, v victim) error { return c.Start(ctx, v.node) }

func stop(ctx context.Context, c *cluster, v victim) error { return c.stop(ctx, v.node) }

// roll restarts all nodes in good order, one after the other.
func roll(ctx context.Context, c *cluster, v victim) error {
	for k := range nodes {
		v.node = (v.node + 1) % nodes
		if err := errors.Join(c.stop(ctx, v.node), c.Start(ctx, v.node)); err != nil {
			return err
		}
		if err := c.settle(ctx); err != nil {
			return fmt.Errorf("restart %d of a roll: %w", k+1, err)
		}
	}
	return nil
}

func killAll(_ context.Context, c *cluster, _ victim) error { return c.Kill() }

// stopAll asks all to end at once: nobody is there to hand over to.
func stopAll(ctx context.Context, c *cluster, _ victim) error {
	began := time.Now()
	err := c.stopAll(ctx)
	if took := time.Since(began); took > allStop {
		err = errors.Join(err, fmt.Errorf("three nodes that were asked to end at once took %v", took))
	}
	return err
}

func startAll(ctx context.Context, c *cluster, _ victim) error { return c.Start(ctx) }

// moveAway takes all replicas from a node, and moveBack gives it one of each partition again.
func moveAway(ctx context.Context, c *cluster, v victim) error {
	return c.assign(ctx, int32((v.node+1)%nodes+1), int32((v.node+2)%nodes+1))
}

func moveBack(ctx context.Context, c *cluster, _ victim) error {
	return c.assign(ctx, 1, 2, 3)
}

func signals(sig os.Signal) func(context.Context, *cluster, victim) error {
	return func(_ context.Context, c *cluster, v victim) error { return c.Node(v.node).Signal(sig) }
}

// Which links a fault of the network cuts.

func fromAll(v victim) []link {
	return append(fromNodes(v), link{v.node, clients}, link{clients, v.node})
}
func fromOne(v victim) []link   { return []link{{v.node, v.other}, {v.other, v.node}} }
func fromNodes(v victim) []link { return append(toIt(v), fromIt(v)...) }

func toIt(v victim) (all []link) {
	for i := range nodes {
		if i != v.node {
			all = append(all, link{i, v.node})
		}
	}
	return all
}

func fromIt(v victim) (all []link) {
	for _, l := range toIt(v) {
		all = append(all, link{l.to, l.from})
	}
	return all
}

func cutting(which func(victim) []link) func(context.Context, *cluster, victim) error {
	return func(ctx context.Context, c *cluster, v victim) error { return c.net.cut(ctx, which(v)...) }
}

func heal(ctx context.Context, c *cluster, _ victim) error { return c.net.heal(ctx) }

func narrow(on bool) func(context.Context, *cluster, victim) error {
	return func(ctx context.Context, c *cluster, v victim) error { return c.net.narrow(ctx, v.node, on) }
}

// fill leaves nothing free on the disk of a node's data.
func fill(_ context.Context, c *cluster, v victim) error {
	return c.net.resize(c.Options(v.node).Dir, 0)
}

// free gives it its room back. A node may have ended.
func free(ctx context.Context, c *cluster, v victim) error {
	if err := c.net.resize(c.Options(v.node).Dir, room); err != nil || !c.Node(v.node).Ended() {
		return err
	}
	return c.Start(ctx, v.node)
}

// slowDisk makes each sync of a node take a twentieth of a second more, and everything else that it asks of the kernel a little.
func slowDisk(_ context.Context, c *cluster, v victim) error {
	c.tracer = exec.Command("strace", "-f", "-qq", "-o", os.DevNull, "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:delay_enter=50ms",
		"-p", fmt.Sprint(c.Node(v.node).PID()))
	return c.tracer.Start()
}

func fastDisk(_ context.Context, c *cluster, _ victim) error {
	err := c.tracer.Process.Signal(os.Interrupt)
	_ = c.tracer.Wait() // it says that it was interrupted
	return err
}

// wipe brings a node back that has lost its data.
func wipe(ctx context.Context, c *cluster, v victim) error {
	return errors.Join(c.wipe(ctx, v.node), c.Start(ctx, v.node))
}
