package side

import (
	"context"
	"errors"
	"fmt"
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

// Node is one process of a side.
type Node struct {
	Program *Program
	ID      int32
	Address string
	Dir     string    // its log directory
	Began   time.Time // when the process was started

	controller string
	settings   Settings
	cmd        *exec.Cmd
	group      *machine.Group
	// Ungrouped says why there is no control group, "" where there is one.
	Ungrouped string
	ended     chan struct{} // closed when the process has been reaped
	log       string
}

// Start formats the directory where needed, starts the process and waits until it answers.
func (n *Node) Start(ctx context.Context) error {
	if err := n.Spawn(ctx); err != nil {
		return err
	}
	return n.Await(ctx)
}

// Spawn is Start without the wait: the server may not even listen yet. Began is taken after the directory was formatted.
func (n *Node) Spawn(ctx context.Context) error {
	if n.Program.Kind == Running {
		n.Address, n.Began, n.ended = n.Program.Address, time.Now(), make(chan struct{})
		return nil
	}
	argv, err := n.command(ctx)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	n.cmd = exec.Command(argv[0], argv[1:]...)
	n.cmd.Stdout, n.cmd.Stderr = out, out
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	n.cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(n.procs()))
	if err := n.enclose(); err != nil {
		return err
	}
	n.ended = make(chan struct{})
	started := make(chan error)
	go n.keep(started)
	return <-started
}

func (n *Node) procs() int {
	if cpus := len(n.settings.CPUs); cpus > 0 {
		return cpus
	}
	return machine.CPUs
}

// groups numbers the control groups of this process.
var groups atomic.Int32

// enclose makes the control group.
func (n *Node) enclose() error {
	n.Ungrouped = ""
	g, err := machine.NewGroup(fmt.Sprintf("ottla-bench-%d-%d", os.Getpid(), groups.Add(1)), n.settings.Memory)
	if errors.Is(err, machine.ErrNoGroups) {
		n.group, n.Ungrouped = nil, strings.ReplaceAll(err.Error(), "\n", ": ")
		return nil
	}
	n.group = g
	return err
}

// keep is the thread that the process descends from: it has its CPUs and its group, and lives as long as the process does,
// because the kernel ends the process with it.
func (n *Node) keep(started chan<- error) {
	runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
	defer close(n.ended)
	err := machine.PinThread(n.settings.CPUs)
	if err == nil && n.group != nil {
		err = n.group.Enter()
	}
	if err == nil && n.group != nil && n.group.Folder() != "" {
		var folder *os.File
		if folder, err = os.Open(n.group.Folder()); err == nil {
			defer folder.Close()
			n.cmd.SysProcAttr.UseCgroupFD, n.cmd.SysProcAttr.CgroupFD = true, int(folder.Fd())
		}
	}
	if err == nil {
		n.Began = time.Now()
		err = n.cmd.Start()
	}
	if n.group != nil {
		err = errors.Join(err, n.group.Leave())
	}
	started <- err
	if n.cmd.Process != nil {
		_ = n.cmd.Wait() // how it ended matters to those who stop it, and they look at the log
	}
}

func (n *Node) command(ctx context.Context) ([]string, error) {
	o := peer.Options{Dir: n.Dir, Listen: n.Address, Controller: n.controller, Properties: n.settings.Properties, Log: n.log, Binary: n.Program.Binary}
	switch n.Program.Kind {
	case Kafka, Ottla:
		heap := n.settings.Heap
		if heap == "" {
			heap = DefaultHeap
		}
		// Named, because a JVM that sees one CPU picks the serial collector.
		o.JVM = []string{"-Xms" + heap, "-Xmx" + heap, "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
			"-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"}
		argv, _, err := peer.Command(ctx, peer.Kind(n.Program.Kind), o)
		return argv, err
	}
	return []string{n.Program.Binary, "-serve", string(n.Program.Kind), "-serve-address", n.Address, "-serve-dir", n.Dir}, nil
}

// Await returns when the server answers.
func (n *Node) Await(ctx context.Context) error {
	for deadline := time.Now().Add(patience); ; machine.Nap(5 * time.Millisecond) {
		if n.Program.Kind == Echo && dials(n.Address) || n.Program.Kind != Echo && peer.Answers(ctx, n.Address) {
			return nil
		}
		select {
		case <-n.ended:
			return fmt.Errorf("%s ended before it answered: %s", n.Program.Name, n.Said(15))
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not answer within %v: %s", n.Program.Name, patience, n.Said(15))
		}
	}
}

// PID is the id of the process.
func (n *Node) PID() int {
	if n.Program.Kind == Running {
		return n.Program.PID
	}
	return n.cmd.Process.Pid
}

// Running says whether there is a process.
func (n *Node) Running() bool {
	if n == nil || n.ended == nil {
		return false
	}
	select {
	case <-n.ended:
		return false
	default:
		return true
	}
}

// CPU is what the running process has used so far: by its control group, exact, or by the account of the process.
func (n *Node) CPU() (time.Duration, error) {
	if !n.Program.Counted() {
		return 0, nil
	}
	if n.group != nil {
		if used, ok, err := n.group.CPU(); ok || err != nil {
			return used, err
		}
	}
	return machine.ProcessCPU(n.PID())
}

// Resident is the resident memory in bytes.
func (n *Node) Resident() (int64, error) { return machine.Resident(n.PID()) }

// Stop asks the process to end and waits until it has; it may be started again on its directory.
func (n *Node) Stop() error { return n.end(syscall.SIGTERM) }

// Kill ends the process at once.
func (n *Node) Kill() error { return n.end(syscall.SIGKILL) }

func (n *Node) end(sig syscall.Signal) error {
	if n == nil || n.ended == nil || n.Program.Kind == Running {
		return nil
	}
	if err := n.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-n.ended:
	case <-time.After(patience):
		_ = n.cmd.Process.Kill() // it is gone in a moment, in whatever way
		<-n.ended
	}
	n.ended = nil
	if n.group == nil {
		return nil
	}
	err := n.group.Remove()
	n.group = nil
	return err
}

// discard kills the process and deletes what it wrote.
func (n *Node) discard() error {
	err := n.Kill()
	for _, path := range []string{n.Dir, n.Dir + ".properties", n.log} {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// Said is the end of what the process wrote.
func (n *Node) Said(lines int) string {
	b, err := os.ReadFile(n.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	return filepath.Base(n.log) + ":\n" + strings.Join(all[max(0, len(all)-lines):], "\n")
}
