package side

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ottla/ottla/test/bench/machine"
	"github.com/ottla/ottla/test/compat/peer"
)

// Settings are what both sides of a row are started with.
type Settings struct {
	Properties map[string]string
	CPUs       []int  // that the side may use; none means all
	Memory     int64  // bytes that it may use with its page cache; 0 is no limit
	Heap       string // of a JVM, as in -Xmx; "" is DefaultHeap
}

// DefaultHeap is Kafka's own.
const DefaultHeap = "1g"

// Ports gives out listeners; the zero value takes any that are free.
type Ports struct {
	First int // of a range that is ours; 0 for any
	given atomic.Int32
}

func (p *Ports) next() string {
	if p == nil || p.First == 0 {
		return ""
	}
	return "127.0.0.1:" + strconv.Itoa(p.First+int(p.given.Add(1)-1)%400)
}

// Side is a running server.
type Side struct {
	Program *Program
	Address string
	Dir     string    // its log directory
	Began   time.Time // when the process was started

	controller string
	settings   Settings
	ports      *Ports
	cmd        *exec.Cmd
	group      *machine.Group
	// Ungrouped says why there is no control group, "" where there is one.
	Ungrouped string
	ended     chan struct{} // closed when the process has been reaped
	log       string
}

// patience bounds the wait for a server to come or to go.
const patience = 3 * time.Minute

// Start starts a program on a directory, which is formatted when it is empty, and waits until it answers.
func Start(ctx context.Context, p *Program, dir string, s Settings, ports *Ports) (*Side, error) {
	side, err := New(ctx, p, dir, s, ports)
	if err != nil {
		return nil, err
	}
	return side, side.Start(ctx)
}

// New makes a side whose process does not run yet.
func New(_ context.Context, p *Program, dir string, s Settings, ports *Ports) (*Side, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return &Side{Program: p, Dir: dir, settings: s, ports: ports, log: dir + ".log"}, nil
}

// Start formats the directory where needed, starts the process and waits until it answers.
func (s *Side) Start(ctx context.Context) error {
	if err := s.Spawn(ctx); err != nil {
		return err
	}
	return s.Await(ctx)
}

// Spawn is Start without the wait: the server may not even listen yet. Began is taken after the directory was formatted.
func (s *Side) Spawn(ctx context.Context) error {
	if s.Program.Kind == Running {
		s.Address, s.Began, s.ended = s.Program.Address, time.Now(), make(chan struct{})
		return nil
	}
	argv, err := s.command(ctx)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	s.cmd = exec.Command(argv[0], argv[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = out, out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(s.procs()))
	if err := s.enclose(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	started := make(chan error)
	go s.keep(started)
	return <-started
}

func (s *Side) procs() int {
	if n := len(s.settings.CPUs); n > 0 {
		return n
	}
	return machine.CPUs
}

// groups numbers the control groups of this process.
var groups atomic.Int32

// enclose makes the control group.
func (s *Side) enclose() error {
	s.Ungrouped = ""
	g, err := machine.NewGroup(fmt.Sprintf("ottla-bench-%d-%d", os.Getpid(), groups.Add(1)), s.settings.Memory)
	if errors.Is(err, machine.ErrNoGroups) {
		s.group, s.Ungrouped = nil, strings.ReplaceAll(err.Error(), "\n", ": ")
		return nil
	}
	s.group = g
	return err
}

// keep is the thread that the process descends from: it has its CPUs and its group, and lives as long as the process does,
// because the kernel ends the process with it.
func (s *Side) keep(started chan<- error) {
	runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
	defer close(s.ended)
	err := machine.PinThread(s.settings.CPUs)
	if err == nil && s.group != nil {
		err = s.group.Enter()
	}
	if err == nil && s.group != nil && s.group.Folder() != "" {
		var folder *os.File
		if folder, err = os.Open(s.group.Folder()); err == nil {
			defer folder.Close()
			s.cmd.SysProcAttr.UseCgroupFD, s.cmd.SysProcAttr.CgroupFD = true, int(folder.Fd())
		}
	}
	if err == nil {
		s.Began = time.Now()
		err = s.cmd.Start()
	}
	if s.group != nil {
		err = errors.Join(err, s.group.Leave())
	}
	started <- err
	if s.cmd.Process != nil {
		_ = s.cmd.Wait() // how it ended matters to those who stop it, and they look at the log
	}
}

func (s *Side) command(ctx context.Context) ([]string, error) {
	if s.Address == "" {
		s.Address, s.controller = s.ports.next(), s.ports.next()
	}
	o := peer.Options{Dir: s.Dir, Listen: s.Address, Controller: s.controller, Properties: s.settings.Properties, Log: s.log, Binary: s.Program.Binary}
	switch s.Program.Kind {
	case Kafka, Ottla:
		heap := s.settings.Heap
		if heap == "" {
			heap = DefaultHeap
		}
		// Named, because a JVM that sees one CPU picks the serial collector.
		o.JVM = []string{"-Xms" + heap, "-Xmx" + heap, "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
			"-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"}
		argv, o, err := peer.Command(ctx, peer.Kind(s.Program.Kind), o)
		s.Address, s.controller = o.Listen, o.Controller
		return argv, err
	}
	o, err := peer.Reserve(o)
	s.Address = o.Listen
	return []string{s.Program.Binary, "-serve", string(s.Program.Kind), "-serve-address", s.Address, "-serve-dir", s.Dir}, err
}

// Await returns when the server answers.
func (s *Side) Await(ctx context.Context) error {
	for deadline := time.Now().Add(patience); ; machine.Nap(5 * time.Millisecond) {
		if s.Program.Kind == Echo && dials(s.Address) || s.Program.Kind != Echo && peer.Answers(ctx, s.Address) {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%s ended before it answered: %s", s.Program.Name, s.Said(15))
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not answer within %v: %s", s.Program.Name, patience, s.Said(15))
		}
	}
}

// PID is the id of the process.
func (s *Side) PID() int {
	if s.Program.Kind == Running {
		return s.Program.PID
	}
	return s.cmd.Process.Pid
}

// Running says whether there is a process.
func (s *Side) Running() bool {
	if s == nil || s.ended == nil {
		return false
	}
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// CPU is what the running process has used so far: by its control group, exact, or by the account of the process.
func (s *Side) CPU() (time.Duration, error) {
	if !s.Program.Counted() {
		return 0, nil
	}
	if s.group != nil {
		if used, ok, err := s.group.CPU(); ok || err != nil {
			return used, err
		}
	}
	return machine.ProcessCPU(s.PID())
}

// Resident is the resident memory in bytes.
func (s *Side) Resident() (int64, error) { return machine.Resident(s.PID()) }

// Stop asks the process to end and waits until it has; it may be started again on its directory.
func (s *Side) Stop() error { return s.end(syscall.SIGTERM) }

// Kill ends the process at once.
func (s *Side) Kill() error { return s.end(syscall.SIGKILL) }

func (s *Side) end(sig syscall.Signal) error {
	if s == nil || s.ended == nil || s.Program.Kind == Running {
		return nil
	}
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.ended:
	case <-time.After(patience):
		_ = s.cmd.Process.Kill() // it is gone in a moment, in whatever way
		<-s.ended
	}
	s.ended = nil
	if s.group == nil {
		return nil
	}
	err := s.group.Remove()
	s.group = nil
	return err
}

// Discard kills the process and deletes what it wrote.
func (s *Side) Discard() error {
	if s == nil {
		return nil
	}
	err := s.Kill()
	for _, path := range []string{s.Dir, s.Dir + ".properties", s.log} {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// Said is the end of what the process wrote.
func (s *Side) Said(lines int) string {
	b, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	return filepath.Base(s.log) + ":\n" + strings.Join(all[max(0, len(all)-lines):], "\n")
}

func dials(address string) bool {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	return c.Close() == nil
}
