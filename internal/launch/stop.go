package launch

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafkatools"
)

// processes are those of this machine, as /proc has them.
type processes struct {
	root string
	kill func(pid int, s syscall.Signal) error
	// uid is whose processes may be stopped, self is this one.
	uid, self int
}

// serving is a process that runs a server.
type serving struct {
	pid       int
	file      string // of its configuration, as it was given
	folder    string // it was started in
	overrides []string
}

// signals are the values of SIGNAL.
var signals = map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP, "QUIT": syscall.SIGQUIT, "KILL": syscall.SIGKILL}

// stopTool ends the servers of this user, Apache's and ours, in the language of kafka-server-stop: all of them, or those of a role or with a
// node id. It ends nothing else.
func stopTool(w *kafkatools.World, args []string, p processes) int {
	fail := func(format string, args ...any) int {
		_ = w.Out.Flush()
		fmt.Fprintf(w.Err, format+"\n", args...)
		return 1
	}
	role, id := "", ""
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		switch {
		case ok && name == "--process-role":
			role = value
		case ok && name == "--node-id":
			id = value
		default:
			return fail("kafka-server-stop takes --process-role=ROLE and --node-id=ID, not %q", arg)
		}
	}
	signal, ok := syscall.SIGTERM, true
	if name := w.Getenv("SIGNAL"); name != "" {
		if signal, ok = signals[strings.TrimPrefix(name, "SIG")]; !ok {
			return fail("SIGNAL is %q, which is no signal to end a server by", name)
		}
	}
	all, err := p.servers()
	if err != nil {
		return fail("%v", err)
	}
	if len(all) == 0 {
		fmt.Fprintln(w.Out, "No kafka server to stop")
		return 1
	}
	all = slices.DeleteFunc(all, func(s serving) bool { return !s.is(role, id) })
	if len(all) == 0 {
		fmt.Fprintln(w.Out, "No kafka server matches what was asked for")
		return 1
	}
	exit := 0
	for _, s := range all {
		if err := p.kill(s.pid, signal); err != nil {
			exit = fail("process %d: %v", s.pid, err)
		}
	}
	return exit
}

// servers finds the processes of the user that run a server.
func (p processes) servers() ([]serving, error) {
	list, err := os.ReadDir(p.root)
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	var all []serving
	for _, d := range list {
		pid, err := strconv.Atoi(d.Name())
		if err != nil || pid == p.self || pid <= 1 {
			continue
		}
		if owner, ok := p.owner(d.Name()); !ok || owner != p.uid {
			continue
		}
		line, err := os.ReadFile(filepath.Join(p.root, d.Name(), "cmdline"))
		if err != nil {
			continue // it has ended
		}
		s, ok := serverOf(strings.Split(string(bytes.TrimRight(line, "\x00")), "\x00"))
		if !ok {
			continue
		}
		s.pid = pid
		s.folder, _ = os.Readlink(filepath.Join(p.root, d.Name(), "cwd"))
		all = append(all, s)
	}
	return all, nil
}

func (p processes) owner(pid string) (int, bool) {
	st, err := os.Stat(filepath.Join(p.root, pid))
	if err != nil {
		return 0, false
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(sys.Uid), true
}

// serverOf reads the command line of a process: java … kafka.Kafka FILE, or ours, by the name of the tool or as start.
func serverOf(argv []string) (serving, bool) {
	if len(argv) < 2 {
		return serving{}, false
	}
	program := filepath.Base(argv[0])
	i := slices.Index(argv, "kafka.Kafka")
	switch {
	case program == "java" && i > 0:
		argv = argv[i+1:]
	case strings.TrimSuffix(program, ".sh") == serverStart:
		argv = argv[1:]
	case argv[1] == serverStart:
		argv = argv[2:]
	case program == "ottla" && argv[1] == "start":
		return startedBy(argv[2:]), true
	default:
		return serving{}, false
	}
	s, ok := parseStart(argv)
	if !ok || s.daemon {
		return serving{}, false
	}
	return serving{file: s.file, overrides: s.overrides}, true
}

// startedBy reads the arguments of `ottla start`.
func startedBy(args []string) serving {
	var s serving
	for i, arg := range args {
		name, value, cut := strings.Cut(arg, "=")
		if !cut && i+1 < len(args) {
			value = args[i+1]
		}
		switch name {
		case "--config", "-c":
			s.file = value
		case "--override":
			s.overrides = append(s.overrides, value)
		}
	}
	return s
}

// is tells whether a server has a role and a node id; an empty one is any. The configuration says so, as it is today.
func (s serving) is(role, id string) bool {
	if role == "" && id == "" {
		return true
	}
	file := s.file
	if !filepath.IsAbs(file) {
		file = filepath.Join(s.folder, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	n, err := config.Load(file, text, s.overrides)
	if err != nil {
		return false
	}
	has := map[string]bool{"": true, "broker": n.Broker, "controller": n.Controller}
	return has[role] && (id == "" || strconv.Itoa(int(n.ID)) == id)
}
