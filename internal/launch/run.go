package launch

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/node"
	"github.com/ottla/ottla/internal/obs"
	"github.com/ottla/ottla/internal/storage"
	"github.com/ottla/ottla/internal/vfs"
)

// drainWithin bounds how long a stop waits for replies that are owed.
const drainWithin = 10 * time.Second

// logBurst is how often a second the same message is logged.
const logBurst = 10

// bootID is where Linux tells one life of the machine from another.
const bootID = "/proc/sys/kernel/random/boot_id"

// session is one run of a node, as the command line wants it.
type session struct {
	world     *command.World
	cfg       *config.Node
	json      bool
	readyFile string
	// prepare makes the log directories fit for use; nil leaves that to the user.
	prepare func() error
	// addresses and dirs are what the user gives addresses and log directories by.
	addresses, dirs string
	// greet tells a person that the node is ready; nil says it in one line.
	greet func(w *command.World, r ready)
}

// ready is what scripts are told about a node that serves.
type ready struct {
	Address   string   `json:"address"` // of the first listener, for clients
	Listeners []string `json:"listeners"`
	ClusterID string   `json:"cluster_id"`
	NodeID    int32    `json:"node_id"`
	PID       int      `json:"pid"`
	Data      []string `json:"data"`
	StartMs   float64  `json:"start_ms"` // from the command's first step to the first client

	took time.Duration
}

// machine is what storage needs of this machine.
func machine() storage.World {
	return storage.World{FS: vfs.OS{}, Now: time.Now, Random: rand.Reader}
}

// run starts the node and stays until a signal, an error of the node, or the end of ctx. A second signal ends the
// process at once.
func (s *session) run(ctx context.Context, began time.Time) error {
	log := slog.New(obs.Limit(slog.NewTextHandler(s.world.Err, &slog.HandlerOptions{Level: obs.Trace}), logBurst, time.Second))
	for _, w := range s.cfg.Warnings {
		log.Warn(w)
	}
	ctx, restore := s.world.Interruptible(ctx)
	defer restore()
	boot, _ := os.ReadFile(bootID) // where there is none, every crash counts as the machine's
	n, err := node.Open(node.Options{
		Config: s.cfg, Prepare: s.prepare, FS: vfs.OS{}, Listen: net.Listen, Dial: new(net.Dialer).DialContext, Now: time.Now, Random: rand.Reader,
		Boot: strings.TrimSpace(string(boot)), Descriptors: descriptors(), Hostname: hostname(), Log: log,
	})
	if err != nil {
		return s.refusal(err)
	}
	err = n.Start(ctx)
	if err == nil {
		err = s.announce(n, began)
	}
	if err == nil {
		err = attend(ctx, n)
	}
	if ctx.Err() != nil {
		err = nil // asked to stop, perhaps while starting
		if s.greet != nil && !s.json {
			fmt.Fprintln(s.world.Out, "Stopping. Ctrl-C again ends at once; nothing acknowledged is lost by that.")
		}
	}
	restore() // from here on a signal ends the process
	stopCtx, cancel := context.WithTimeout(context.Background(), drainWithin)
	defer cancel()
	return errors.Join(err, n.Stop(stopCtx))
}

// refusal words why the node can't be opened for whoever gave the command.
func (s *session) refusal(err error) error {
	var listen *node.ListenError
	var use *storage.InUseError
	switch {
	case errors.As(err, &listen):
		e := &command.Error{Err: errors.New(listen.What()), Hint: listen.Advice(s.addresses), Exit: command.Failed}
		if errors.Is(err, fs.ErrPermission) {
			e.Exit = command.Denied
		}
		return e
	case errors.As(err, &use):
		return &command.Error{Err: errors.New(use.What()), Hint: use.Advice(s.dirs), Exit: command.Failed}
	case errors.Is(err, fs.ErrPermission):
		return &command.Error{Err: err, Hint: "is it another user's? " + s.dirs + " names another directory", Exit: command.Denied}
	}
	return err
}

// descriptors is how many files and sockets this process may have open, 0 if nobody says.
func descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Cur, math.MaxInt32))
}

func hostname() string {
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}

// attend waits for whatever ends the node.
func attend(ctx context.Context, n *node.Node) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.Failed():
		return err
	}
}

// announce says that clients are accepted.
func (s *session) announce(n *node.Node, began time.Time) error {
	took := time.Since(began)
	r := ready{
		ClusterID: n.ClusterID(), NodeID: int32(n.ID()), PID: os.Getpid(), Data: s.cfg.LogDirs,
		StartMs: float64(took.Microseconds()) / 1000, took: took,
	}
	for _, l := range n.Listeners() {
		r.Listeners = append(r.Listeners, l.Name+"://"+address(l))
	}
	r.Address = address(n.Listeners()[0])
	if s.readyFile != "" {
		if err := writeReady(s.readyFile, r); err != nil {
			return fmt.Errorf("write the ready file: %w", err)
		}
	}
	switch {
	case s.json:
		return json.NewEncoder(s.world.Out).Encode(r)
	case s.greet != nil:
		s.greet(s.world, r)
	default:
		fmt.Fprintf(s.world.Out, "node %d of cluster %s is ready at %s after %v\n", r.NodeID, r.ClusterID, strings.Join(r.Listeners, ", "), took.Round(time.Millisecond))
	}
	return nil
}

func address(l config.Listener) string {
	host := l.Host
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, strconv.Itoa(l.Port))
}

// writeReady writes the file in one step: who sees it sees all of it.
func writeReady(name string, r any) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(name), ".ready-*")
	if err != nil {
		return err
	}
	if _, err := temp.Write(append(text, '\n')); err != nil {
		return errors.Join(err, temp.Close(), os.Remove(temp.Name()))
	}
	if err := temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), name)
}
