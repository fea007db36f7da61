package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/kafkatools"
	"github.com/ottla/ottla/internal/storage"
)

// The tools that run a server, by the names of Apache's scripts.
const (
	serverStart = "kafka-server-start"
	serverStop  = "kafka-server-stop"
)

// Tools are those of Apache's tools that run a server or touch its directories. began is when the process started.
func Tools(began time.Time) []kafkatools.Tool {
	return []kafkatools.Tool{
		{Name: "kafka-storage", Main: storageTool},
		{Name: serverStart, Main: func(ctx context.Context, w *kafkatools.World, args []string) int {
			return startTool(ctx, w, args, began)
		}},
		{Name: serverStop, Main: func(_ context.Context, w *kafkatools.World, args []string) int {
			return stopTool(w, args, processes{root: "/proc", kill: syscall.Kill, uid: os.Getuid(), self: os.Getpid()})
		}},
	}
}

// storageTool is kafka-storage: what it prints is the work of package storage.
func storageTool(_ context.Context, w *kafkatools.World, args []string) int {
	err := storage.Tool{World: machine(), Out: w.Out, ReadFile: os.ReadFile, Name: "kafka-storage"}.Run(args)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, storage.ErrUnfit):
		return 1 // Out says why
	}
	_ = w.Out.Flush()
	fmt.Fprintln(w.Err, err)
	return 1
}

const startUsage = "USAGE: kafka-server-start [-daemon] server.properties [--override property=value]*\n"

// startArgs are the arguments of kafka-server-start.
type startArgs struct {
	daemon    bool
	file      string
	overrides []string
}

func parseStart(args []string) (startArgs, bool) {
	var s startArgs
	for len(args) > 0 && args[0] == "-daemon" {
		s.daemon, args = true, args[1:]
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return s, false
	}
	s.file, args = args[0], args[1:]
	for len(args) > 0 {
		word, value, cut := strings.Cut(args[0], "=")
		switch {
		case word != "--override":
			return s, false
		case cut:
			s.overrides, args = append(s.overrides, value), args[1:]
		case len(args) < 2:
			return s, false
		default:
			s.overrides, args = append(s.overrides, args[1]), args[2:]
		}
	}
	return s, true
}

// startTool runs a server with the language of kafka-server-start.
func startTool(ctx context.Context, w *kafkatools.World, args []string, began time.Time) int {
	s, ok := parseStart(args)
	if !ok {
		fmt.Fprint(w.Out, startUsage)
		return 1
	}
	if s.daemon {
		return startDaemon(w, s)
	}
	world := command.Stdio()
	cfg, err := load(s.file, s.overrides)
	if err == nil {
		err = (&session{world: world, cfg: cfg, addresses: "listeners", dirs: "log.dirs"}).run(ctx, began)
	}
	if err != nil {
		_ = w.Out.Flush()
		fmt.Fprintln(w.Err, err)
		return 1
	}
	return 0
}

// startDaemon starts the server in a session of its own, and leaves it. What it says goes to kafkaServer.out in the folder that LOG_DIR
// names, else in logs.
func startDaemon(w *kafkatools.World, s startArgs) int {
	failed := func(err error) int {
		_ = w.Out.Flush()
		fmt.Fprintln(w.Err, err)
		return 1
	}
	dir := w.Getenv("LOG_DIR")
	if dir == "" {
		dir = "logs"
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return failed(err)
	}
	out, err := os.OpenFile(filepath.Join(dir, "kafkaServer.out"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return failed(err)
	}
	defer out.Close()
	binary, err := os.Executable()
	if err != nil {
		return failed(err)
	}
	args := []string{serverStart, s.file}
	for _, o := range s.overrides {
		args = append(args, "--override", o)
	}
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = out, out, &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return failed(err)
	}
	if err := cmd.Process.Release(); err != nil {
		return failed(err)
	}
	return 0
}
