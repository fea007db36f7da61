package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

type options struct {
	length time.Duration
	seed   uint64
	faults []string
	keep   string
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var o options
	flag.DurationVar(&o.length, "for", time.Minute, "begin no fault after this time")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of all choices")
	names := flag.String("faults", strings.Join(slices.Sorted(maps.Keys(faults)), ","), "the kinds of fault")
	flag.StringVar(&o.keep, "dir", "", "keep the nodes' directories here (default: a temporary one, removed unless something is wrong)")
	flag.Parse()
	o.faults = strings.Split(*names, ",")
	ok, err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// Times of a fault.
const (
	calm    = 2 * time.Second  // before each
	outage  = 2 * time.Second  // how long a node is away
	absence = 12 * time.Second // the same, longer than its session
	settles = time.Minute      // bounds the wait for all to be in sync again
)

// kind is a way to take a node away, and to bring it back.
type kind struct {
	away   func(context.Context, *cluster, int) error
	outage time.Duration
	back   func(context.Context, *cluster, int) error
}

var faults = map[string]kind{
	"kill":  {kill, outage, start},
	"crash": {kill, 0, start},
	"end":   {end, outage, start},
	"pause": {signals(syscall.SIGSTOP), outage, signals(syscall.SIGCONT)},
	"stop":  {signals(syscall.SIGSTOP), absence, signals(syscall.SIGCONT)},
	"move":  {moveAway, outage, moveBack},
}

func kill(_ context.Context, c *cluster, i int) error    { return c.nodes[i].Kill() }
func end(ctx context.Context, c *cluster, i int) error   { return c.nodes[i].Stop(ctx) }
func start(ctx context.Context, c *cluster, i int) error { return c.start(ctx, i) }

// moveAway takes all replicas from a node, and moveBack gives it one of each partition again.
func moveAway(ctx context.Context, c *cluster, i int) error {
	return c.assign(ctx, func(p int) []int32 { return turned(p, (i+1)%nodes, (i+2)%nodes) })
}

func moveBack(ctx context.Context, c *cluster, _ int) error {
	return c.assign(ctx, func(p int) []int32 { return turned(p, 0, 1, 2) })
}

// turned are the ids of nodes, another one first for each partition.
func turned(p int, all ...int) []int32 {
	var ids []int32
	for k := range all {
		ids = append(ids, int32(all[(p+k)%len(all)])+1)
	}
	return ids
}

func signals(sig os.Signal) func(context.Context, *cluster, int) error {
	return func(_ context.Context, c *cluster, i int) error { return c.nodes[i].Signal(sig) }
}

func run(ctx context.Context, o options) (ok bool, err error) {
	for _, name := range o.faults {
		if _, ok := faults[name]; !ok {
			return false, fmt.Errorf("there is no fault %q: there are %s", name, strings.Join(slices.Sorted(maps.Keys(faults)), ", "))
		}
	}
	fmt.Printf("chaos: seed=%d\n", o.seed)
	random := rand.New(rand.NewPCG(o.seed, 0))
	c, err := newCluster(ctx, o.keep)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, c.close(ok && o.keep == "")) }()
	l, err := begin(ctx, c.addresses())
	if err != nil {
		return false, err
	}
	defer l.end()
	gaps := map[string]time.Duration{}
	count := 0
	for began := time.Now(); time.Since(began) < o.length && ctx.Err() == nil; count++ {
		name, i := o.faults[random.IntN(len(o.faults))], random.IntN(nodes)
		if err := c.fault(ctx, name, i, l, gaps); err != nil {
			return false, fmt.Errorf("%s of node %d: %w", name, i+1, err)
		}
	}
	if err := errors.Join(l.end(), c.settle(ctx)); err != nil {
		return false, err
	}
	v, err := check(ctx, c, l)
	if err != nil {
		return false, err
	}
	return v.ok(), v.print(count, gaps)
}

// fault takes a node away for a while, and notes how long a partition took nothing at the most.
func (c *cluster) fault(ctx context.Context, name string, i int, l *load, gaps map[string]time.Duration) error {
	if err := wait(ctx, calm); err != nil {
		return nil // interrupted: what was acknowledged so far is checked
	}
	k, led := faults[name], c.leads(ctx, i)
	if led {
		name += " of the controller"
	}
	l.longest()
	if err := k.away(ctx, c, i); err != nil {
		return err
	}
	_ = wait(ctx, k.outage) // when interrupted it comes back sooner
	if err := k.back(context.WithoutCancel(ctx), c, i); err != nil {
		return err
	}
	if err := c.settle(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	gap := l.longest()
	gaps[name] = max(gaps[name], gap)
	fmt.Printf("%s, node %d: %d acknowledged, longest wait %v\n", name, i+1, l.count(), gap.Round(time.Millisecond))
	return nil
}

// wait lets time pass: the load goes on meanwhile.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
