package side

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
)

// Kind says what a program is.
type Kind string

// The kinds. Null answers and forgets, Bare stores without checking, Echo sends back what comes.
const (
	Ottla Kind = "ottla"
	Kafka Kind = "kafka"
	Null  Kind = "null"
	Bare  Kind = "bare"
	Echo  Kind = "echo"
	// Running is a server that somebody else started and stops; it is only loaded.
	Running Kind = "running"
)

// Program is what can be started as a side.
type Program struct {
	Kind    Kind
	Name    string // for people: "Ottla", "Apache Kafka 4.4.0", "Ottla at 1234abcd"
	Version string // Kafka's version or Ottla's commit, "+" behind it where the checkout has changes that are not committed
	Binary  string // of Ottla and the bare programs
	Address string // of one that is Running
	PID     int    // of one that is Running; 0 where its CPU time can't be seen
}

// Counted says whether the CPU time of the program is known.
func (p *Program) Counted() bool { return p.Kind != Running || p.PID != 0 }

// ErrNotLoopback refuses an address of another machine.
var ErrNotLoopback = errors.New("not a loopback address: load is sent to this machine only, unless -allow-remote says otherwise")

// At is a server that runs already.
func At(address string, pid int, remote bool) (*Program, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("-peer %q: want kafka, none, ottla@REVISION or HOST:PORT: %w", address, err)
	}
	if ip := net.ParseIP(host); !remote && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("%s: %w", address, ErrNotLoopback)
	}
	return &Program{Kind: Running, Name: "the server at " + address, Version: "as it runs", Address: address, PID: pid}, nil
}

// Answers fails with [ErrPeer] where nobody listens at the address of a server that is said to run.
func (p *Program) Answers(ctx context.Context) error {
	nc, err := (&net.Dialer{Timeout: 3 * time.Second}).DialContext(ctx, "tcp", p.Address)
	if err != nil {
		return &ErrPeer{p.Address, err}
	}
	return nc.Close()
}

// ErrPeer says that the peer can't be had.
type ErrPeer struct {
	Peer string
	Why  error
}

func (e *ErrPeer) Error() string {
	return fmt.Sprintf("the peer %s can't be had, so nothing is compared (-peer none measures Ottla alone): %v", e.Peer, e.Why)
}

func (e *ErrPeer) Unwrap() error { return e.Why }

// Peer gets what -peer names: kafka, none (nil), or ottla@REV.
func Peer(ctx context.Context, name string) (*Program, error) {
	rev, isRevision := strings.CutPrefix(name, "ottla@")
	switch {
	case name == "none":
		return nil, nil
	case name == "kafka":
		if _, err := peer.ServerJars(ctx); err != nil {
			return nil, &ErrPeer{"Apache Kafka " + peer.ServerVersion, err}
		}
		return &Program{Kind: Kafka, Name: "Apache Kafka " + peer.ServerVersion, Version: peer.ServerVersion}, nil
	case isRevision && rev != "":
		p, err := revision(ctx, rev)
		if err != nil {
			return nil, &ErrPeer{name, err}
		}
		return p, nil
	}
	return nil, fmt.Errorf("-peer %q: want kafka, none, ottla@REVISION or HOST:PORT", name)
}

// Checkout builds Ottla as it is in the working directory.
func Checkout(ctx context.Context, dir string) (*Program, error) {
	root, err := peer.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	// What benchmarks and documents change does not change the binary: its commit is the last one that did.
	parts := []string{"--", "cmd", "internal", "schema", "go.mod", "go.sum"}
	commit, err := output(ctx, root, append([]string{"git", "log", "-1", "--abbrev=10", "--format=%h"}, parts...)...)
	if err != nil {
		return nil, err
	}
	changed, err := output(ctx, root, append([]string{"git", "status", "--porcelain"}, parts...)...)
	if err != nil {
		return nil, err
	}
	if changed != "" {
		commit += "+"
	}
	binary := filepath.Join(dir, "ottla")
	_, err = output(ctx, root, "go", "build", "-o", binary, "./cmd/ottla")
	return &Program{Kind: Ottla, Name: "Ottla", Version: commit, Binary: binary}, err
}

// revision builds a commit of Ottla, once, into the cache.
func revision(ctx context.Context, rev string) (*Program, error) {
	root, err := peer.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	commit, err := output(ctx, root, "git", "rev-parse", "--short=10", "--verify", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return nil, err
	}
	cache, err := peer.CacheDir()
	if err != nil {
		return nil, err
	}
	p := &Program{Kind: Ottla, Name: "Ottla at " + commit, Version: commit, Binary: filepath.Join(cache, "bin", "ottla-"+commit)}
	if _, err := os.Stat(p.Binary); err == nil {
		return p, nil
	}
	source, err := os.MkdirTemp("", "ottla-revision-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(source)
	archive := filepath.Join(source, "source.tar")
	if _, err := output(ctx, root, "git", "archive", "-o", archive, commit); err != nil {
		return nil, err
	}
	if _, err := output(ctx, source, "tar", "-xf", archive); err != nil {
		return nil, err
	}
	_, err = output(ctx, source, "go", "build", "-o", p.Binary, "./cmd/ottla")
	return p, err
}

// Floor is one of the bare programs: this very binary, started in another way.
func Floor(kind Kind) (*Program, error) {
	self, err := os.Executable()
	return &Program{Kind: kind, Name: string(kind), Binary: self}, err
}

func output(ctx context.Context, dir string, argv ...string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
