package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ottla/ottla/test/compat/clients"
	"github.com/ottla/ottla/test/compat/peer"
)

// options are the command line.
type options struct {
	peer     peer.Kind
	then     peer.Kind // who takes over the directory
	clients  []clients.Client
	record   bool
	addr     string // a running server, instead of one that is started here
	dir      string
	keep     bool
	matrix   bool
	nodes    int  // of the cluster; each topic has a replica on every one
	roll     bool // they restart under load, instead of all else
	hurt     bool // one node after another is killed and comes back
	parallel int
	verbose  bool
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	o, err := parseFlags(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "compat:", err)
		os.Exit(2)
	}
	ok, err := runSuite(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "compat:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func parseFlags(args []string) (options, error) {
	f := flag.NewFlagSet("compat", flag.ContinueOnError)
	kind := f.String("peer", "ottla", "the server: ottla or kafka")
	names := f.String("clients", "all", "all, or names separated by commas")
	then := f.String("then", "kafka", "who opens the directory afterwards: kafka or ottla")
	var o options
	f.StringVar(&o.addr, "addr", "", "talk to this running server instead of starting one (no takeover then)")
	f.BoolVar(&o.record, "record", false, "with -peer kafka: keep the outcomes as the reference")
	f.StringVar(&o.dir, "dir", "", "work in this folder (default: a new one under the system's, removed at the end)")
	f.BoolVar(&o.keep, "keep", false, "keep the folder")
	f.BoolVar(&o.matrix, "matrix", true, "let each client read what each other wrote")
	f.IntVar(&o.nodes, "nodes", 1, "start a cluster of so many; every topic has a replica on each, and one of them may be missing")
	f.BoolVar(&o.hurt, "hurt", false, "with -nodes 3: kill one node after another while the clients work, and bring it back")
	f.BoolVar(&o.roll, "roll", false, "with -nodes 3: instead of all else, restart one node after another under load; with -hurt kill them")
	f.IntVar(&o.parallel, "parallel", 2, "clients that run at once")
	f.BoolVar(&o.verbose, "v", false, "print every step")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.peer, o.then = peer.Kind(*kind), peer.Kind(*then)
	for _, k := range []peer.Kind{o.peer, o.then} {
		if k != peer.Kafka && k != peer.Ottla {
			return o, fmt.Errorf("server %q: want ottla or kafka", k)
		}
	}
	if o.record && (o.peer != peer.Kafka || o.hurt) {
		return o, fmt.Errorf("-record keeps what Apache Kafka does when nobody hurts it: it needs -peer kafka, and no -hurt")
	}
	if (o.hurt || o.roll) && (o.nodes < 3 || o.addr != "") {
		return o, fmt.Errorf("-hurt and -roll need -nodes 3 at least, that are started here")
	}
	if o.clients = choose(*names, o); len(o.clients) == 0 || *names != "all" && len(o.clients) != strings.Count(*names, ",")+1 {
		return o, fmt.Errorf("-clients %q: unknown name, or one that -hurt or -roll leaves out; there are %s", *names, strings.Join(clientNames(), ", "))
	}
	return o, nil
}

// choose gives the clients of these names.
func choose(names string, o options) (all []clients.Client) {
	for _, c := range clients.All {
		switch why := unhurt[c.Name]; {
		case names != "all" && !slices.Contains(strings.Split(names, ","), c.Name):
		case o.roll && !slices.Contains(loads, c.Name):
		case o.hurt && why != "":
			fmt.Printf("-hurt leaves out %s: %s\n", c.Name, why)
		default:
			all = append(all, c)
		}
	}
	return all
}

// unhurt are the clients that nothing can be said of while nodes are killed.
var unhurt = map[string]string{
	"tools":     "they print who leads and who is in sync, which changes all the time",
	"segmentio": "it has no idempotent producer, and what it sends again may be there twice",
}

func clientNames() []string {
	var names []string
	for _, c := range clients.All {
		names = append(names, c.Name)
	}
	return names
}

// suite is one run of the program.
type suite struct {
	o       options
	root    string
	install *clients.Installer
	allowed peer.Deviations
	dir     string        // of this run
	servers *peer.Cluster // nil for one that runs already
	addr    string        // of all nodes, with commas between

	mu       sync.Mutex // guards what follows
	verdicts []verdict
	steps    map[string][]step // by client
}

func runSuite(ctx context.Context, o options) (bool, error) {
	began := time.Now()
	s := &suite{o: o, steps: map[string][]step{}, dir: o.dir, addr: o.addr}
	if err := s.prepare(ctx); err != nil {
		return false, err
	}
	if !o.keep && o.dir == "" {
		defer os.RemoveAll(s.dir)
	}
	if s.addr == "" {
		if err := s.start(ctx); err != nil {
			return false, err
		}
		defer func() { _ = s.servers.Kill() }()
	}
	fmt.Printf("%s on %s; installed in %s\n", o.peer, s.addr, time.Since(began).Round(100*time.Millisecond))
	if o.roll {
		return s.roll(ctx)
	}
	if err := s.underFaults(ctx, s.work); err != nil {
		return false, err
	}
	if s.servers != nil {
		if err := s.takeover(ctx); err != nil {
			return false, err
		}
	}
	ok := s.report(os.Stdout)
	fmt.Printf("took %s\n", time.Since(began).Round(time.Second))
	fmt.Println(s.lastLine())
	return ok, nil
}

// work is what the clients do.
func (s *suite) work(ctx context.Context) error {
	if err := s.runAll(ctx); err != nil || !s.o.matrix {
		return err
	}
	return s.runMatrix(ctx)
}

// prepare installs the clients and lays out the folder of the run.
func (s *suite) prepare(ctx context.Context) error {
	var err error
	if s.root, err = peer.RepositoryRoot(); err != nil {
		return err
	}
	if s.install, err = clients.NewInstaller(); err != nil {
		return err
	}
	if s.allowed, err = peer.LoadDeviations(s.root, "compat"); err != nil {
		return err
	}
	for _, c := range s.o.clients {
		if err := c.Install(ctx, s.install); err != nil {
			return fmt.Errorf("install %s (%s): %w", c.Name, c.What, err)
		}
	}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "ottla-compat-"); err != nil {
			return err
		}
	}
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "clients"), 0o755); err != nil {
		return err
	}
	return writeDataset(filepath.Join(s.dir, "clients"))
}

// eachClient calls f for every client, a few at once.
func (s *suite) eachClient(f func(clients.Client) error) error {
	var group sync.WaitGroup
	slots := make(chan struct{}, max(1, s.o.parallel))
	errs := make(chan error, len(s.o.clients))
	for _, c := range s.o.clients {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if err := f(c); err != nil {
				errs <- fmt.Errorf("%s: %w", c.Name, err)
			}
		})
	}
	group.Wait()
	close(errs)
	return <-errs
}

// runAll runs the whole scenario of every client.
func (s *suite) runAll(ctx context.Context) error {
	return s.eachClient(func(c clients.Client) error {
		began := time.Now()
		steps, err := s.runClient(ctx, c, "full")
		steps = normal(steps, s.o)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.steps[c.Name] = steps
		if err != nil {
			s.verdicts = append(s.verdicts, verdict{client: c.Name, step: "run", state: failed,
				detail: err.Error() + "\n" + lastLines(filepath.Join(s.dir, "clients", c.Name+".full.err"), 5)})
		}
		if s.o.record {
			if err := saveReference(s.root, c.Name, steps, s.o.nodes); err != nil {
				return err
			}
		}
		ref, err := loadReference(s.root, c.Name, s.o.nodes)
		if err != nil {
			return err
		}
		vs := judge(c.Name, steps, ref, s.allowed)
		vs = append(vs, consistent(c, steps)...)
		if s.o.hurt {
			excuse(vs)
		}
		s.verdicts = append(s.verdicts, vs...)
		fmt.Printf("%-18s %2d steps in %s%s\n", c.Name, len(steps), time.Since(began).Round(100*time.Millisecond), triedAgain(steps))
		return nil
	})
}

func lastLines(file string, n int) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
