package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
	"github.com/ottla/ottla/test/pause"
)

type options struct {
	length time.Duration
	count  int
	seed   uint64
	faults []string
	keep   string
	net    string
	rate   int
	peer   string
}

// Values of -net.
const (
	anyNet       = "auto"
	ownNet       = "namespaces"
	loopbackOnly = "loopback"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command(ctx)
	cancel()
	os.Exit(code)
}

func command(ctx context.Context) int {
	var o options
	flag.DurationVar(&o.length, "for", time.Minute, "begin no fault after this time")
	flag.IntVar(&o.count, "count", 0, "end after so many faults (default: do not count)")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of all choices")
	names := flag.String("faults", strings.Join(kindNames(), ","), "the kinds of fault")
	flag.StringVar(&o.keep, "dir", "", "keep the nodes' directories here (default: a temporary one, removed unless something is wrong)")
	flag.StringVar(&o.net, "net", anyNet, "where the nodes are: namespaces, each with a network of its own, or loopback; auto: the first where this machine allows it")
	flag.IntVar(&o.rate, "rate", 200, "records a second, for each partition")
	flag.StringVar(&o.peer, "peer", string(peer.Ottla), "whose nodes are hurt: ottla, or kafka, to compare, with -faults that its processes can have")
	flag.Parse()
	o.faults = strings.Split(*names, ",")
	ok, err := false, error(nil)
	if inside() {
		ok, err = chaos(ctx, o, os.Getenv(within))
	} else {
		ok, err = outside(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	switch {
	case errors.Is(err, errUnable):
		return exitUnable
	case err != nil || !ok:
		return 1
	}
	return 0
}

// outside builds the server and has it hurt in a process with a network of its own, or here where that can't be.
func outside(ctx context.Context, o options) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "ottla-chaos-binary-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	binary := filepath.Join(dir, "ottla")
	if err := peer.BuildOttlaAs(ctx, binary); err != nil {
		return false, err
	}
	if o.net != loopbackOnly {
		code, err := isolated(ctx, binary)
		if err != nil || code != exitUnable || o.net == ownNet {
			return code == 0, err
		}
	}
	return chaos(ctx, o, binary)
}

// errUnable says that no networks can be made here.
var errUnable = errors.New("the nodes can't be given networks of their own")

// chaos makes the network and runs. An error wraps errUnable where none can be made.
func chaos(ctx context.Context, o options, binary string) (bool, error) {
	for _, name := range o.faults {
		if _, ok := faults[name]; !ok {
			return false, fmt.Errorf("there is no fault %q: there are %s", name, strings.Join(kindNames(), ", "))
		}
	}
	if !inside() {
		fmt.Printf("chaos: seed=%d, nodes on loopback behind proxies\n", o.seed)
		return torment(ctx, o, binary, newProxies())
	}
	net, err := newNamespaces(ctx)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errUnable, err)
	}
	fmt.Printf("chaos: seed=%d, each node in a network namespace\n", o.seed)
	return torment(ctx, o, binary, net)
}

// torment runs the cluster and its load, hurts it, and judges.
func torment(ctx context.Context, o options, binary string, net network) (ok bool, err error) {
	c, err := newCluster(ctx, o, binary, net)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, c.close(ok && o.keep == "")) }()
	kinds := o.faults
	o.faults = slices.DeleteFunc(slices.Clone(kinds), func(name string) bool {
		why := faults[name].missing(c)
		if why != nil {
			fmt.Printf("without %s: %v\n", name, why)
		}
		return why != nil
	})
	if len(o.faults) == 0 {
		return false, errors.New("none of these faults can be done here")
	}
	l, err := begin(ctx, o.rate, c.seeds())
	if err != nil {
		return false, err
	}
	defer l.end()
	count, gaps, err := c.hurt(ctx, o, l)
	if err := errors.Join(err, l.failed()); err != nil {
		return false, err
	}
	if err := errors.Join(l.end(), c.settle(context.WithoutCancel(ctx))); err != nil {
		return false, err
	}
	v, err := check(context.WithoutCancel(ctx), c, l)
	if err != nil {
		return false, err
	}
	return v.ok(), v.print(count, gaps)
}

// hurt does one fault after the other: all kinds in rounds, each round in another order.
func (c *cluster) hurt(ctx context.Context, o options, l *load) (count int, gaps map[string]time.Duration, err error) {
	random := rand.New(rand.NewPCG(o.seed, 0))
	gaps = map[string]time.Duration{}
	var round []string
	for began := time.Now(); time.Since(began) < o.length && (o.count == 0 || count < o.count) && l.failed() == nil; count++ {
		if pause.For(ctx, calm+time.Duration(random.Int64N(int64(calm)))) != nil {
			break // interrupted: what was acknowledged so far is checked
		}
		if len(round) == 0 {
			round = slices.Clone(o.faults)
			random.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		}
		name := round[0]
		round = round[1:]
		node := random.IntN(nodes)
		v := victim{node: node, other: (node + 1 + random.IntN(nodes-1)) % nodes, random: random}
		if err := c.fault(ctx, name, v, l, gaps); err != nil {
			return count, gaps, fmt.Errorf("fault %d, %s of node %d: %w", count+1, name, node+1, err)
		}
	}
	return count, gaps, nil
}

// fault does one, waits until all is well again, and notes how long a partition took nothing at the most.
func (c *cluster) fault(ctx context.Context, name string, v victim, l *load, gaps map[string]time.Duration) error {
	k, shown := faults[name], name
	if c.leads(ctx, v.node) {
		shown += " of the controller"
	}
	l.acks.Longest()
	began, lasting := time.Now(), context.WithoutCancel(ctx)
	if err := k.begin(lasting, c, v); err != nil {
		return err
	}
	if k.hold != nil {
		k.hold(ctx, c, l, v)
	}
	held := time.Since(began)
	if k.end != nil {
		if err := k.end(lasting, c, v); err != nil {
			return err
		}
	}
	if err := c.settle(lasting); err != nil {
		return err
	}
	if !l.progress(lasting, settles) {
		return fmt.Errorf("all are in sync, and not every partition takes records after %v", settles)
	}
	gap := l.acks.Longest()
	gaps[name] = max(gaps[name], gap)
	fmt.Printf("%s %s, node %d: lasted %v, well after %v, longest wait %v, %d acknowledged\n", time.Now().Format(time.TimeOnly), shown, v.node+1,
		held.Round(time.Millisecond), (time.Since(began) - held).Round(time.Millisecond), gap.Round(time.Millisecond), l.count())
	return nil
}
