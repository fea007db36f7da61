package kafkatools

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/testkit"
)

// tested is a world whose ends are buffers.
type tested struct {
	World
	out, err bytes.Buffer
}

func newTested(stdin string, env map[string]string) *tested {
	t := &tested{}
	t.World = World{
		In: strings.NewReader(stdin), Out: bufio.NewWriter(&t.out), Err: &t.err,
		Getenv: func(k string) string { return env[k] },
		Now:    func() time.Time { return time.UnixMilli(1_700_000_100_000) },
		Interruptible: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithCancel(ctx)
		},
		Compat: Claimed,
	}
	return t
}

// session is a scenario file with a node of its own.
type session struct {
	t     *testing.T
	n     *testkit.Node
	files string
	stdin string // of the next tool
}

// TestScenarios runs testdata/scenario: each file is a session with a node. The commands are
//
//	run [env=value]            a tool and its arguments, one line with $S for the options that name the server, $B for its
//	                           address and $F for the folder of files. Prints stdout, the first line of stderr, and the exit code
//	file name                  write a file
//	produce topic partition n  write n records, a second apart
//	stdin                      what the next tool reads; ␉ is a tab and ␍ a carriage return
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/scenario", func(t *testing.T, path string) {
		s := &session{t: t, n: testkit.Start(t, testkit.Options{}), files: t.TempDir()}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "run":
				return s.run(d)
			case "file":
				s.file(d.CmdArgs[0].Key, d.Input)
				return ""
			case "produce":
				return s.produce(d)
			case "stdin":
				s.stdin = strings.NewReplacer("␉", "\t", "␍", "\r").Replace(d.Input) + "\n"
				return ""
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func (s *session) fill(line string) string {
	return strings.NewReplacer("$S", "--bootstrap-server "+s.n.Addr, "$B", s.n.Addr, "$C", s.n.ControllerAddr, "$F", s.files).Replace(line)
}

// file writes a file for tools.
func (s *session) file(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.files, name), []byte(s.fill(text)), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// tool runs a line.
func (s *session) tool(line string) string { return s.run(&datadriven.TestData{Input: line}) }

func (s *session) run(d *datadriven.TestData) string {
	env := map[string]string{}
	for _, a := range d.CmdArgs {
		env[a.Key] = a.Vals[0]
	}
	args := strings.Fields(s.fill(d.Input))
	for i, a := range args {
		args[i] = strings.Trim(strings.ReplaceAll(a, "␣", " "), "'")
	}
	w := newTested(s.stdin, env)
	s.stdin = ""
	exit := run(context.Background(), &w.World, args[0], args[1:], nil)
	out := w.out.String()
	if errs, _, _ := strings.Cut(w.err.String(), "\n"); errs != "" {
		out += "stderr: " + errs + "\n"
	}
	if exit != 0 {
		out += fmt.Sprintf("exit %d\n", exit)
	}
	return s.normal(out)
}

var (
	uuids  = regexp.MustCompile(`(TopicId: |Cluster ID: |ClusterId: +|directoryId": ")[A-Za-z0-9_-]{22}`)
	epochs = regexp.MustCompile(`(Epoch|HighWatermark): +\d+`)
	// variable is what else differs from run to run.
	variable = []struct {
		re   *regexp.Regexp
		with string
	}{
		{regexp.MustCompile(`CreateTime:\d{13}`), "CreateTime:N"},
		{regexp.MustCompile(`"(timestamp|commitTimestamp)":\d+`), `"$1":N`},
		{regexp.MustCompile(`"topicId":"[^"]*"`), `"topicId":"ID"`},
		{regexp.MustCompile(`"avg_throughput":[^}]*`), `"avg_throughput":N`},
	}
)

func (s *session) normal(out string) string {
	_, port, _ := net.SplitHostPort(s.n.Addr)
	_, controller, _ := net.SplitHostPort(s.n.ControllerAddr)
	out = strings.NewReplacer(s.n.Addr, "SERVER", s.n.ControllerAddr, "CONTROLLER", ":"+controller, ":CONTROLLERPORT", port, "PORT",
		controller, "CONTROLLERPORT", s.files, "FILES").Replace(out)
	for _, r := range variable {
		out = r.re.ReplaceAllString(out, r.with)
	}
	return epochs.ReplaceAllString(uuids.ReplaceAllString(out, "${1}ID"), "${1}: N")
}

func (s *session) produce(d *datadriven.TestData) string {
	partition, err := strconv.ParseInt(d.CmdArgs[1].Key, 10, 32)
	if err != nil {
		s.t.Fatal(err)
	}
	n, err := strconv.Atoi(d.CmdArgs[2].Key)
	if err != nil {
		s.t.Fatal(err)
	}
	c := s.n.Client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DisableIdempotentWrite())
	for i := range n {
		r := &kgo.Record{Topic: d.CmdArgs[0].Key, Partition: int32(partition), Key: fmt.Appendf(nil, "k%d", i), Value: []byte("v"), Timestamp: time.UnixMilli(1_700_000_000_000 + int64(i)*1000)}
		if err := c.ProduceSync(context.Background(), r).FirstErr(); err != nil {
			s.t.Fatal(err)
		}
	}
	return ""
}

// TestDispatch finds tools by the first word and by the name of the program, and leaves everything else to others.
func TestDispatch(t *testing.T) {
	for _, c := range []struct {
		argv string
		ran  bool
		exit int
		out  string
	}{
		{argv: "ottla topic list"},
		{argv: "ottla"},
		{argv: ""},
		{argv: "ottla kafka-topics --version", ran: true, out: Claimed.String()},
		{argv: "ottla kafka-topics.sh --version", ran: true, out: Claimed.String()},
		{argv: "/usr/bin/kafka-topics.sh --version", ran: true, out: Claimed.String()},
		{argv: "kafka-topics --version", ran: true, out: Claimed.String()},
		{argv: "kafka-topics --compat-version 4.3.1 --version", ran: true, out: "4.3.1"},
		{argv: "kafka-topics --compat-version=4.3 --version", ran: true, out: "4.3.0"},
		{argv: "kafka-topics --compat-version old --version", ran: true, exit: 1},
		{argv: "kafka-topics --version --compat-version", ran: true, exit: 1},
		{argv: "ottla kafka-share-groups --list", ran: true, exit: 1},
		{argv: "ottla kafka-nonsense", ran: true, exit: 1},
		{argv: "ottla link-compat", ran: true, exit: 2},
		{argv: "ottla kafka-mine 3", ran: true, exit: 3},
	} {
		mine := Tool{Name: "kafka-mine", Main: func(_ context.Context, _ *World, args []string) int {
			n, _ := strconv.Atoi(args[0])
			return n
		}}
		w := newTested("", nil)
		exit, ran := Dispatch(t.Context(), func() *World { return &w.World }, strings.Fields(c.argv), mine)
		if ran != c.ran || exit != c.exit || strings.TrimSpace(w.out.String()) != c.out {
			t.Errorf("%q: ran %v, exit %d, %q; want %v, %d, %q", c.argv, ran, exit, w.out.String(), c.ran, c.exit, c.out)
		}
		if c.exit != 0 && c.exit != 3 && strings.Count(w.err.String(), "\n") < 1 {
			t.Errorf("%q fails in silence", c.argv)
		}
	}
}

// An environment may name the release for all tools; a flag is over it.
func TestCompatVariable(t *testing.T) {
	w := newTested("", map[string]string{compatVariable: "4.3.1"})
	if run(t.Context(), &w.World, "kafka-topics", []string{"--version"}, nil); w.out.String() != "4.3.1\n" {
		t.Errorf("%q", w.out.String())
	}
	w = newTested("", map[string]string{compatVariable: "4.3.1"})
	if run(t.Context(), &w.World, "kafka-topics", []string{"--version", "--compat-version", "4.2"}, nil); w.out.String() != "4.2.0\n" {
		t.Errorf("%q", w.out.String())
	}
}

// What is said to be absent is.
func TestAbsentToolsAreAbsent(t *testing.T) {
	seen := map[string]bool{}
	for _, tool := range tools() {
		if seen[tool.Name] {
			t.Errorf("%s is there twice", tool.Name)
		}
		seen[tool.Name] = true
		if absent[tool.Name] != "" {
			t.Errorf("%s is there and said to be absent", tool.Name)
		}
	}
}

// Every tool that is called with nothing tells how to use it: on stderr with exit code 1, or on stdout with 0.
func TestToolsWithoutArguments(t *testing.T) {
	for _, tool := range tools() {
		w := newTested("", nil)
		if exit := run(t.Context(), &w.World, tool.Name, nil, nil); exit == 1 && w.err.Len() == 0 || exit == 0 && w.out.Len() == 0 || exit > 1 {
			t.Errorf("%s: exit %d, %q, %q", tool.Name, exit, w.out.String(), w.err.String())
		}
	}
}

func TestLink(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bin")
	names := []string{"kafka-topics", "kafka-configs"}
	made, err := Link(dir, "/opt/ottla", names)
	if err != nil || len(made) != 4 {
		t.Fatalf("%v, %v", made, err)
	}
	if made, err = Link(dir, "/opt/ottla", names); err != nil || len(made) != 0 {
		t.Errorf("again: %v, %v", made, err)
	}
	if made, err = Link(dir, "/usr/bin/ottla", names); err != nil || len(made) != 4 {
		t.Errorf("a binary that has moved: %v, %v", made, err)
	}
	if target, err := os.Readlink(filepath.Join(dir, "kafka-topics.sh")); err != nil || target != "/usr/bin/ottla" {
		t.Errorf("%q, %v", target, err)
	}
	theirs := filepath.Join(dir, "kafka-topics.sh")
	if err := os.Remove(theirs); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(theirs, []byte("#!/bin/bash\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if made, err = Link(dir, "/opt/ottla", names); err == nil || len(made) != 0 {
		t.Errorf("over a script: %v, %v", made, err)
	}
	if b, err := os.ReadFile(theirs); err != nil || string(b) != "#!/bin/bash\n" {
		t.Errorf("the script is %q, %v", b, err)
	}
}
