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

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/compat/peer"
	"github.com/ottla/ottla/test/pause"
)

type options struct {
	kinds  []peer.Kind // take turns, from start to start
	rounds int
	limit  time.Duration
	seed   uint64
	keep   string
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var o options
	kinds := flag.String("peer", "ottla", "the server: ottla or kafka, or both, which then take turns: ottla,kafka")
	flag.IntVar(&o.rounds, "rounds", 50, "rounds of load, kill, restart and check")
	flag.DurationVar(&o.limit, "for", 2*time.Minute, "begin no round after this time")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of all choices")
	flag.StringVar(&o.keep, "dir", "", "keep the directories here (default: a temporary one, removed unless a check fails)")
	flag.Parse()
	for kind := range strings.SplitSeq(*kinds, ",") {
		o.kinds = append(o.kinds, peer.Kind(kind))
	}
	ok, err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// roundsPerDirectory bounds what is read back each time.
const roundsPerDirectory = 10

// totals are printed at the end.
type totals struct {
	rounds, kills, inFlight, invoked, acked, unknown, duplicates, directories int
	slowest                                                                   time.Duration // from a start to its first answer
	violations                                                                string
}

func run(ctx context.Context, o options) (bool, error) {
	fmt.Printf("crash: peer=%s seed=%d\n", o.kinds, o.seed)
	dir, err := workingDir(o.keep)
	if err != nil {
		return false, err
	}
	began := time.Now()
	random := rand.New(rand.NewPCG(o.seed, 0))
	var t totals
	for t.rounds < o.rounds && time.Since(began) < o.limit && t.violations == "" && ctx.Err() == nil {
		d := &directory{o: o, random: random, began: began, t: &t, path: filepath.Join(dir, fmt.Sprint(t.directories))}
		t.directories++
		if err = d.run(ctx); err != nil {
			break
		}
	}
	ok := err == nil && t.violations == "" && t.rounds > 0
	verdict := "PASS"
	if !ok {
		verdict = "FAIL" + t.violations
	}
	fmt.Printf("crash: %s rounds=%d kills=%d (with %d records in flight) directories=%d sent=%d acked=%d unknown=%d duplicates=%d (not idempotent) slowest-start=%v took=%v seed=%d\n",
		verdict, t.rounds, t.kills, t.inFlight, t.directories, t.invoked, t.acked, t.unknown, t.duplicates, t.slowest.Round(time.Millisecond),
		time.Since(began).Round(time.Second), o.seed)
	if ok && o.keep == "" {
		return ok, errors.Join(err, os.RemoveAll(dir))
	}
	fmt.Println("crash: the directories are in", dir)
	return ok, err
}

func workingDir(keep string) (string, error) {
	if keep != "" {
		return keep, os.MkdirAll(keep, 0o755)
	}
	return os.MkdirTemp("", "ottla-crash-")
}

// directory is the life of one data directory: several rounds, an orderly end, and a last look.
type directory struct {
	o      options
	random *rand.Rand
	began  time.Time
	t      *totals
	path   string
	opts   peer.Options
	server *peer.Peer
	starts int // so far
	load   *load
}

func (d *directory) run(ctx context.Context) error {
	d.opts = peer.Options{Dir: d.path, Properties: map[string]string{
		"log.segment.bytes": "1048576", // many segments, so that recovery meets their edges
		// The smallest time that Kafka takes between snapshots and checkpoints of its own accord.
		"log.flush.offset.checkpoint.interval.ms": "200",
	}}
	if len(d.o.kinds) > 1 {
		d.opts.Short = true
	}
	if slices.Contains(d.o.kinds, peer.Ottla) {
		var err error
		if d.opts.Binary, err = peer.BuildOttla(ctx); err != nil {
			return err
		}
	}
	if err := d.start(ctx); err != nil {
		return err
	}
	defer func() {
		if d.server != nil { // a start that failed leaves none
			_ = d.server.Kill()
		}
	}()
	d.opts.Listen, d.opts.Controller = d.server.Addr(), d.server.ControllerAddr()
	if err := createTopic(ctx, d.server.Addr()); err != nil {
		return err
	}
	h := newHistory()
	d.load = &load{addr: d.server.Addr(), h: h, next: map[id]uint32{}, failed: map[string]int{}}
	for n := 0; n < roundsPerDirectory && d.t.rounds < d.o.rounds && time.Since(d.began) < d.o.limit && len(h.violations) == 0; n++ {
		if err := d.round(ctx); err != nil {
			return err
		}
	}
	err := d.orderly(ctx)
	d.t.invoked += len(h.invoked)
	d.t.acked += len(h.acked)
	for text, n := range d.load.failed {
		fmt.Printf("  unknown outcome of %d records: %s\n", n, text)
		d.t.unknown += n
	}
	for _, n := range h.duplicates {
		d.t.duplicates += n
	}
	d.t.violations = h.summary()
	for i, v := range h.violations {
		if i == 20 {
			fmt.Printf("  … and %d more\n", len(h.violations)-i)
			break
		}
		fmt.Printf("  %s: %s\n", v.check, v.what)
	}
	return err
}

// start starts the server on the directory and notes how long the first answer took.
func (d *directory) start(ctx context.Context) error {
	began := time.Now()
	var err error
	d.server, err = peer.Start(ctx, d.next(), d.opts)
	d.starts++
	if took := time.Since(began); err == nil && took > d.t.slowest {
		d.t.slowest = took
	}
	return err
}

// next is the server whose turn it is.
func (d *directory) next() peer.Kind { return d.o.kinds[d.starts%len(d.o.kinds)] }

func createTopic(ctx context.Context, addr string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = kadm.NewClient(client).CreateTopic(ctx, partitions, 1, nil, topic)
	return err
}

// round is load, kill, restart, a little more load, and the check.
func (d *directory) round(ctx context.Context) error {
	if err := d.load.begin(ctx, d.t.rounds, d.random); err != nil {
		return err
	}
	d.t.rounds++
	_ = pause.For(ctx, d.between(30, 600))
	if err := d.kill(); err != nil {
		return err
	}
	if d.random.IntN(4) == 0 {
		// Once more, somewhere in the middle of the recovery.
		half, err := peer.Spawn(ctx, d.next(), d.opts)
		if err != nil {
			return err
		}
		_ = pause.For(ctx, d.between(1, 200))
		d.server = half
		if err := d.kill(); err != nil {
			return err
		}
	}
	if err := d.start(ctx); err != nil {
		return err
	}
	_ = pause.For(ctx, d.between(20, 250))
	d.load.end()
	return d.load.verify(ctx)
}

func (d *directory) kill() error {
	d.t.kills++
	d.t.inFlight += d.load.inFlight()
	return d.server.Kill()
}

func (d *directory) between(low, high int) time.Duration {
	return time.Duration(low+d.random.IntN(high-low)) * time.Millisecond
}

// orderly ends the server as an operator would, starts it once more and reads everything again.
func (d *directory) orderly(ctx context.Context) error {
	stop, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := d.server.Stop(stop); err != nil {
		return err
	}
	if err := d.start(ctx); err != nil {
		return err
	}
	return d.load.verify(ctx)
}
