package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	foreign "github.com/ottla/ottla/test/compat/clients"
	"github.com/ottla/ottla/test/compat/peer"
)

// options are the command line.
type options struct {
	peers, only []string
	keep        bool
	show        bool
	across      bool
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var o options
	peers := flag.String("peer", "ottla", "servers, separated by commas: ottla, kafka")
	only := flag.String("only", "", "only these tools, or invocations that contain one of these words; separated by commas")
	flag.BoolVar(&o.keep, "keep", false, "keep the folder")
	flag.BoolVar(&o.show, "show", false, "print what each invocation printed")
	flag.BoolVar(&o.across, "across", false, "print also what Apache's own tools print differently on the servers; that is the servers' matter, and fails nothing")
	flag.Parse()
	o.peers = strings.Split(*peers, ",")
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	failed, err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tools:", err)
	}
	if err != nil || failed > 0 {
		os.Exit(1)
	}
}

// suite is what the comparison needs once.
type suite struct {
	options
	binary, dir string
	install     *foreign.Installer
	allowed     peer.Deviations
	table       []invocation
	theirs      map[string]map[peer.Kind]result // what Apache's tools printed, by invocation and server
}

func run(ctx context.Context, o options) (failed int, err error) {
	began := time.Now()
	s := &suite{options: o, theirs: map[string]map[peer.Kind]result{}}
	root, err := peer.RepositoryRoot()
	if err != nil {
		return 0, err
	}
	if s.allowed, err = peer.LoadDeviations(root, "tools"); err != nil {
		return 0, err
	}
	if s.table, err = choose(o.only); err != nil {
		return 0, err
	}
	if s.install, err = foreign.NewInstaller(); err != nil {
		return 0, err
	}
	if err := foreign.InstallDriver(ctx, s.install); err != nil {
		return 0, fmt.Errorf("install Apache's tools: %w", err)
	}
	if s.dir, err = os.MkdirTemp("", "ottla-tools-"); err != nil {
		return 0, err
	}
	if o.keep {
		fmt.Println("kept", s.dir)
	} else {
		defer os.RemoveAll(s.dir)
	}
	if err := s.lay(ctx); err != nil {
		return 0, err
	}
	for _, kind := range o.peers {
		n, err := s.compare(ctx, peer.Kind(kind))
		failed += n
		if err != nil {
			return failed, fmt.Errorf("on %s: %w", kind, err)
		}
	}
	if o.across {
		s.printAcross()
	}
	if len(o.only) == 0 {
		slow, err := s.measureStart(ctx)
		if err != nil {
			return failed, err
		}
		failed += slow
	}
	fmt.Printf("took %s\n", time.Since(began).Round(time.Second))
	return failed, nil
}

// choose takes invocations from the table, and refuses a table whose names are not unique.
func choose(only []string) ([]invocation, error) {
	var chosen []invocation
	seen := map[string]bool{}
	for _, i := range invocations() {
		if seen[i.name()] {
			return nil, fmt.Errorf("the table has %q twice", i.name())
		}
		seen[i.name()] = true
		if only == nil || slices.ContainsFunc(only, func(w string) bool { return strings.Contains(i.name(), w) }) {
			chosen = append(chosen, i)
		}
	}
	if chosen == nil {
		return nil, fmt.Errorf("no invocation has a word of %q", only)
	}
	return chosen, nil
}

// lay builds the binary, makes the links, and writes the files that invocations read.
func (s *suite) lay(ctx context.Context) error {
	built, err := peer.BuildOttla(ctx)
	if err != nil {
		return err
	}
	// Another run may build another one in the same place meanwhile.
	s.binary = filepath.Join(s.dir, "ottla")
	b, err := os.ReadFile(built)
	if err == nil {
		err = os.WriteFile(s.binary, b, 0o755)
	}
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, s.binary, "link-compat", filepath.Join(s.dir, "links")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("link-compat: %w\n%s", err, out)
	}
	if err := os.Mkdir(filepath.Join(s.dir, "files"), 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(s.dir, "files", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// start starts a server for each side and prepares both alike.
func (s *suite) start(ctx context.Context, kind peer.Kind, name string, sides ...side) ([]*cell, error) {
	cells := make([]*cell, len(sides))
	var group sync.WaitGroup
	for i, side := range sides {
		cells[i] = &cell{side: side, files: filepath.Join(s.dir, "files")}
		group.Go(func() {
			c := cells[i]
			c.peer, c.broken = peer.Start(ctx, kind, peer.Options{Dir: filepath.Join(s.dir, fmt.Sprintf("%s-%d", name, i)), Short: true, Binary: binaryOf(kind, s.binary),
				Properties: properties[kind]})
			if c.broken == nil {
				c.broken = c.prepare(ctx)
			}
		})
	}
	group.Wait()
	for _, c := range cells {
		if c.broken != nil {
			stop(cells)
			return nil, c.broken
		}
	}
	return cells, nil
}

// properties are what the servers have beside the usual: Kafka an authorizer, so that kafka-acls finds one.
var properties = map[peer.Kind]map[string]string{
	peer.Ottla: {"group.initial.rebalance.delay.ms": "0"},
	peer.Kafka: {
		"group.initial.rebalance.delay.ms": "0",
		"authorizer.class.name":            "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":                      "User:ANONYMOUS",
	},
}

func binaryOf(kind peer.Kind, binary string) string {
	if kind == peer.Ottla {
		return binary
	}
	return ""
}

func stop(cells []*cell) {
	for _, c := range cells {
		if c.peer != nil {
			_ = c.peer.Kill()
		}
	}
}

// compare runs the table on two servers of a kind, one for each side, and prints each difference.
func (s *suite) compare(ctx context.Context, kind peer.Kind) (failed int, err error) {
	java := &driver{install: s.install, dir: s.dir}
	defer java.close()
	cells, err := s.start(ctx, kind, string(kind), &ours{binary: s.binary, links: filepath.Join(s.dir, "links"), dir: s.dir}, java)
	if err != nil {
		return 0, err
	}
	defer stop(cells)
	equal, declared, again := 0, 0, 0
	for _, i := range s.table {
		results, err := both(ctx, cells, i)
		looks := 1
		// What was changed a moment ago may not be seen by both yet.
		for ; err == nil && looks <= 10 && i.reads() && !i.equal(results); looks++ {
			time.Sleep(100 * time.Millisecond)
			results, err = both(ctx, cells, i)
		}
		if err != nil {
			return failed, fmt.Errorf("%s: %w", i.name(), err)
		}
		if s.theirs[i.name()] == nil {
			s.theirs[i.name()] = map[peer.Kind]result{}
		}
		s.theirs[i.name()][kind] = results[1]
		if s.show {
			fmt.Printf("---- %s (%s)\n%s%sexit %d\n", i.name(), i.line, results[1].out, results[1].err, results[1].exit)
		}
		switch {
		case i.equal(results):
			if equal++; looks > 1 {
				again++
				fmt.Printf("again %s: %s: equal at look %d\n", kind, i.name(), looks)
			}
		case s.allowed.Has(i.name()):
			declared++
		default:
			failed++
			fmt.Printf("DIFF  %s: %s\n      %s\n%s", kind, i.name(), i.line, difference(results[0], results[1]))
		}
	}
	fmt.Printf("%s: %d of %d invocations equal, %d differ as docs/deviations.md says, %d differ; %d were equal only when looked at again\n", kind, equal, len(s.table), declared, failed, again)
	return failed, nil
}

// both runs an invocation on both sides at once.
func both(ctx context.Context, cells []*cell, i invocation) (results [2]result, err error) {
	var errs [2]error
	var group sync.WaitGroup
	for n, c := range cells {
		group.Go(func() { results[n], errs[n] = c.do(ctx, i) })
	}
	group.Wait()
	return results, errors.Join(errs[:]...)
}

// equal reports whether the two sides did the same.
func (i invocation) equal(r [2]result) bool {
	return r[0].exit == r[1].exit && (i.silent || r[0].out == r[1].out)
}

// printAcross prints where Apache's tools see a difference between the servers.
func (s *suite) printAcross() {
	for _, i := range s.table {
		ours, okOurs := s.theirs[i.name()][peer.Ottla]
		kafkas, okKafka := s.theirs[i.name()][peer.Kafka]
		if okOurs && okKafka && !i.silent && (ours.exit != kafkas.exit || ours.out != kafkas.out) {
			fmt.Printf("SERVERS differ for Apache's %s\n      %s\n%s", i.name(), i.line, strings.ReplaceAll(difference(ours, kafkas), "Apache", "kafka"))
		}
	}
}

// difference shows the first lines that are not the same on both sides, and the exit codes when they differ.
func difference(a, b result) string {
	var out strings.Builder
	if a.exit != b.exit {
		fmt.Fprintf(&out, "      exit %d here, %d of Apache's\n", a.exit, b.exit)
	}
	as, bs := strings.SplitAfter(a.out, "\n"), strings.SplitAfter(b.out, "\n")
	shown := 0
	for n := range max(len(as), len(bs)) {
		la, lb := lineAt(as, n), lineAt(bs, n)
		if la != lb && shown < 8 {
			shown++
			fmt.Fprintf(&out, "      %d here:   %q\n      %d Apache: %q\n", n+1, la, n+1, lb)
		}
	}
	if errs := strings.TrimSpace(a.err); errs != "" {
		fmt.Fprintf(&out, "      stderr here:   %.300q\n", errs)
	}
	if errs := strings.TrimSpace(b.err); errs != "" {
		fmt.Fprintf(&out, "      stderr Apache: %.300q\n", errs)
	}
	return out.String()
}

func lineAt(lines []string, n int) string {
	if n < len(lines) {
		return lines[n]
	}
	return ""
}
