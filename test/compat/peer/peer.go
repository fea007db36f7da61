package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Kind names an implementation of the server.
type Kind string

// The two implementations.
const (
	Kafka Kind = "kafka"
	Ottla Kind = "ottla"
)

// ClusterID is the cluster id that a peer is formatted with unless Options say otherwise.
const ClusterID = "AAAAAAAAAAAAAAAAAAAAAQ"

// NodeID is the node id of every peer.
const NodeID = 1

// Options say how a peer is started. The zero value of each field is a default.
type Options struct {
	// Dir is the data directory; it is formatted when it has no meta.properties. Required.
	Dir string
	// Listen is the broker listener's "host:port"; "" picks a free loopback port.
	Listen string
	// Controller is the controller listener's "host:port"; "" picks a free loopback port. A directory that was
	// formatted before must be given the port it was formatted with, which Peer.ControllerAddr told.
	Controller string
	// Standalone formats with the voter in the log (kraft.version 1) instead of controller.quorum.voters.
	Standalone bool
	// ClusterID is what the directory is formatted with; "" is the constant of that name.
	ClusterID string
	// Version is Kafka's, "" for ServerVersion; OldVersion has releases before 4.0.
	Version string
	// ClassPath is put before Kafka's own.
	ClassPath string
	// BrokerOnly starts a broker without a vote: a cluster's other nodes have them.
	BrokerOnly bool
	// Release is what the directory is formatted with, such as "3.3"; "" is the latest.
	Release string
	// Properties are added to (and override) the server properties.
	Properties map[string]string
	// Log is the file that the peer's output is appended to; "" means Dir + ".log".
	Log string
	// Short gives Kafka's JVM a small heap and lets it start faster, at the price of speed later.
	Short bool
	// JVM are Kafka's flags for Java; nil picks what suits a test.
	JVM []string
	// Before is put before the command line of the server: a program that runs it in other surroundings, in its own place.
	Before []string
	// Binary is the ottla binary; "" builds ./cmd/ottla.
	Binary string
	// Ready bounds the wait for the first answer; 0 means 60 s.
	Ready time.Duration
}

// Peer is one running server process.
type Peer struct {
	kind       Kind
	addr       string
	controller string
	dir        string
	log        string
	ready      time.Duration // bounds Ready
	cmd        *exec.Cmd
	done       chan struct{} // closed when the process has been reaped
	asked      atomic.Bool   // to end

	mu  sync.Mutex // guards err
	err error      // how the process ended
}

// Start formats o.Dir if needed, starts the server and waits until it answers.
func Start(ctx context.Context, kind Kind, o Options) (*Peer, error) {
	p, err := Spawn(ctx, kind, o)
	if err != nil {
		return nil, err
	}
	if err := p.Ready(ctx); err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	return p, nil
}

// Spawn is Start without the wait: the server may not even listen yet.
func Spawn(ctx context.Context, kind Kind, o Options) (*Peer, error) {
	argv, o, err := Command(ctx, kind, o)
	if err != nil {
		return nil, err
	}
	p := &Peer{kind: kind, addr: o.Listen, controller: o.Controller, dir: o.Dir, log: o.Log, ready: o.Ready, done: make(chan struct{})}
	return p, p.spawn(append(slices.Clone(o.Before), argv...))
}

// Command formats o.Dir if needed and gives the command line that starts the server, with the options as they were filled
// in: for those who run it in their own way.
func Command(ctx context.Context, kind Kind, o Options) (argv []string, filled Options, err error) {
	if err := o.fill(); err != nil {
		return nil, o, err
	}
	switch kind {
	case Kafka:
		argv, err = prepareKafka(ctx, o)
	case Ottla:
		argv, err = prepareOttla(ctx, o)
	default:
		err = fmt.Errorf("unknown peer %q: want kafka or ottla", kind)
	}
	return argv, o, err
}

// Ready returns when the server answers on its broker listener, or says why it does not.
func (p *Peer) Ready(ctx context.Context) error {
	if err := p.awaitAnswer(ctx, p.ready); err != nil {
		return fmt.Errorf("%s on %s: %w\n%s", p.kind, p.addr, err, tail(p.log, 15))
	}
	return nil
}

// Reserve fills in the defaults of o, addresses too: a directory that changes hands stays at them.
func Reserve(o Options) (Options, error) {
	err := o.fill()
	return o, err
}

func (o *Options) fill() error {
	if o.Dir == "" {
		return errors.New("peer: Options.Dir is required")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	o.Dir = dir
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return err
	}
	if o.Log == "" {
		o.Log = o.Dir + ".log"
	}
	if o.ClusterID == "" {
		o.ClusterID = ClusterID
	}
	if o.Ready == 0 {
		o.Ready = time.Minute
	}
	if o.Listen == "" {
		if o.Listen, err = freeAddr(); err != nil {
			return err
		}
	}
	if o.Controller == "" {
		o.Controller, err = freeAddr()
	}
	return err
}

// spawn starts argv and a goroutine that reaps it.
func (p *Peer) spawn(argv []string) error {
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = childAttr()
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.kind, err)
	}
	go func() {
		err := p.cmd.Wait()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(p.done)
	}()
	return nil
}

// Addr is the broker listener, "host:port".
func (p *Peer) Addr() string { return p.addr }

// ControllerAddr is the controller listener, "host:port".
func (p *Peer) ControllerAddr() string { return p.controller }

// Dir is the data directory.
func (p *Peer) Dir() string { return p.dir }

// Stop asks the process to end in order (SIGTERM) and waits; when ctx ends first it is killed and Stop says so.
func (p *Peer) Stop(ctx context.Context) error {
	select {
	case <-p.done:
		return fmt.Errorf("%s had ended by itself: %v\n%s", p.kind, p.exit(), tail(p.log, 15))
	default:
	}
	p.asked.Store(true)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return p.exitError()
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("%s did not stop in time: %w", p.kind, ctx.Err()), p.Kill())
	}
}

// Ended reports whether the process has ended.
func (p *Peer) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// PID is the id of the process.
func (p *Peer) PID() int { return p.cmd.Process.Pid }

// Signal sends the process a signal.
func (p *Peer) Signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }

// Kill ends the process at once (SIGKILL) and waits until it is gone.
func (p *Peer) Kill() error {
	p.asked.Store(true)
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.done
	return nil
}

func (p *Peer) exit() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// exitError is nil for an ordinary end; a JVM reports SIGTERM as exit status 143.
func (p *Peer) exitError() error {
	err := p.exit()
	var status *exec.ExitError
	if errors.As(err, &status) && p.kind == Kafka && status.ExitCode() == 128+int(syscall.SIGTERM) {
		return nil
	}
	return err
}

// tail gives the last n lines of a file, for error messages.
func tail(path string, n int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	lines := strings.Split(string(bytes.TrimRight(b, "\n")), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
