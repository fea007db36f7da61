package launch

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ottla/ottla/internal/kafkatools"
)

// tool runs a tool in this process and returns what it printed on stdout and its exit code.
func tool(env map[string]string, run func(*kafkatools.World) int) (string, string, int) {
	var out, errs bytes.Buffer
	w := &kafkatools.World{Out: bufio.NewWriter(&out), Err: &errs, Getenv: func(k string) string { return env[k] }}
	exit := run(w)
	_ = w.Out.Flush()
	return out.String(), errs.String(), exit
}

// machineOf makes what /proc shows of processes: pid and command line, with | between the words.
func machineOf(t *testing.T, folder string, lines map[int]string) (processes, *[]string) {
	root := t.TempDir()
	for pid, line := range lines {
		dir := filepath.Join(root, fmt.Sprint(pid))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "cmdline"), []byte(strings.ReplaceAll(line, "|", "\x00")+"\x00"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(folder, filepath.Join(dir, "cwd")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "self"), 0o755); err != nil {
		t.Fatal(err)
	}
	killed := &[]string{}
	kill := func(pid int, s syscall.Signal) error {
		*killed = append(*killed, fmt.Sprintf("%d %v", pid, s))
		slices.Sort(*killed)
		return nil
	}
	return processes{root: root, kill: kill, uid: os.Getuid(), self: 99}, killed
}

func TestServerStop(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"a.properties": "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.bootstrap.servers=127.0.0.1:1\ncontroller.listener.names=C\n" +
			"listeners=PLAINTEXT://127.0.0.1:0,C://127.0.0.1:0\nlistener.security.protocol.map=C:PLAINTEXT,PLAINTEXT:PLAINTEXT\nlog.dirs=/none\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lines := map[int]string{
		10: "java|-Xmx1g|-cp|libs/*|kafka.Kafka|a.properties",
		11: "/usr/bin/ottla|kafka-server-start|a.properties|--override|node.id=2",
		12: "/opt/bin/kafka-server-start.sh|" + filepath.Join(folder, "a.properties"),
		13: "/usr/bin/ottla|start|--config|a.properties|--override=node.id=3",
		14: "/usr/bin/ottla|kafka-topics|--list",
		15: "/usr/bin/ottla|dev",
		16: "vi|kafka.Kafka|a.properties",
		17: "grep|kafka-server-start",
		18: "java|-jar|other.jar",
		99: "/usr/bin/ottla|kafka-server-start|a.properties", // the tool itself
	}
	f := func(args string, env map[string]string, want ...string) {
		t.Helper()
		p, killed := machineOf(t, folder, lines)
		out, errs, exit := tool(env, func(w *kafkatools.World) int { return stopTool(w, strings.Fields(args), p) })
		if !slices.Equal(*killed, want) || exit != 0 || out != "" {
			t.Errorf("%q ends %q, want %q; exit %d, %q, %q", args, *killed, want, exit, out, errs)
		}
	}
	f("", nil, "10 terminated", "11 terminated", "12 terminated", "13 terminated")
	f("--node-id=2", nil, "11 terminated")
	f("--node-id=3", map[string]string{"SIGNAL": "KILL"}, "13 killed")
	f("--process-role=broker", nil, "10 terminated", "11 terminated", "12 terminated", "13 terminated")
}

func TestServerStopOfNone(t *testing.T) {
	f := func(args, want string, env map[string]string, lines map[int]string) {
		t.Helper()
		p, killed := machineOf(t, "/", lines)
		out, errs, exit := tool(env, func(w *kafkatools.World) int { return stopTool(w, strings.Fields(args), p) })
		if exit != 1 || out+errs != want+"\n" || len(*killed) > 0 {
			t.Errorf("%q: exit %d, %q, %q, ended %q", args, exit, out, errs, *killed)
		}
	}
	server := map[int]string{10: "java|kafka.Kafka|/no/such/file"}
	f("", "No kafka server to stop", nil, nil)
	f("--node-id=7", "No kafka server matches what was asked for", nil, server)
	f("--all", `kafka-server-stop takes --process-role=ROLE and --node-id=ID, not "--all"`, nil, server)
	f("", `SIGNAL is "STOP", which is no signal to end a server by`, map[string]string{"SIGNAL": "STOP"}, server)
}

func TestParseStart(t *testing.T) {
	f := func(args, want string) {
		t.Helper()
		s, ok := parseStart(strings.Fields(args))
		if got := fmt.Sprintf("%t %t %s %s", ok, s.daemon, s.file, s.overrides); got != want {
			t.Errorf("%q is %s, want %s", args, got, want)
		}
	}
	f("a.properties", "true false a.properties []")
	f("-daemon a.properties --override b=c --override=d=e", "true true a.properties [b=c d=e]")
	for _, bad := range []string{"", "-daemon", "--override b=c", "a.properties --override", "a.properties b=c"} {
		if _, ok := parseStart(strings.Fields(bad)); ok {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestStorageTool(t *testing.T) {
	out, _, exit := tool(nil, func(w *kafkatools.World) int { return storageTool(t.Context(), w, []string{"random-uuid"}) })
	if exit != 0 || len(out) != 23 {
		t.Errorf("random-uuid ends with %d and %q", exit, out)
	}
	out, errs, exit := tool(nil, func(w *kafkatools.World) int { return storageTool(t.Context(), w, []string{"format"}) })
	if exit != 1 || out != "" || !strings.Contains(errs, "--config") {
		t.Errorf("format without arguments ends with %d, %q, %q", exit, out, errs)
	}
}
