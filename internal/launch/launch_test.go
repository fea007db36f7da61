package launch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli"
	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/testkit"
)

// within bounds every wait for a process.
const within = 30 * time.Second

// asCommand makes this test binary the command itself.
const asCommand = "OTTLA_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		w := command.Stdio()
		os.Exit(cli.Run(context.Background(), w, os.Args[1:], Commands(w, time.Now())...))
	}
	os.Exit(m.Run())
}

// process is a command that runs.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	err   *bytes.Buffer // safe to read after wait
	lines *bufio.Reader
}

func program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

// start runs a command that serves, and waits until it says that it is ready.
func start(t *testing.T, args ...string) (*process, ready) {
	t.Helper()
	var r ready
	p := startFor(t, &r, args...)
	return p, r
}

// startSeveral runs three nodes in the folders of dir.
func startSeveral(t *testing.T, dir string) (*process, cluster) {
	t.Helper()
	var c cluster
	p := startFor(t, &c, "dev", "-n", "3", "--dir", dir, "--listen", "127.0.0.1:0")
	return p, c
}

func startFor(t *testing.T, ready any, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: program(append(args, "--json")...), err: &bytes.Buffer{}}
	p.cmd.Stderr = p.err
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewReader(out)
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it has ended, or the test failed
	line, err := p.lines.ReadString('\n')
	if err != nil {
		_ = p.cmd.Wait()
		t.Fatalf("%v did not get ready: %v\n%s", args, err, p.err)
	}
	if err := json.Unmarshal([]byte(line), ready); err != nil {
		t.Fatalf("the ready line %q: %v", line, err)
	}
	return p
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wait waits for the end and returns how it came.
func (p *process) wait() *os.ProcessState {
	p.t.Helper()
	timer := time.AfterFunc(within, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	err := p.cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return p.cmd.ProcessState
}

// fails runs a command that must end with an exit code, and returns what it says, which is one line.
func fails(t *testing.T, want command.Exit, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := program(args...)
	cmd.Stderr = &stderr
	timer := time.AfterFunc(within, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Run() // the exit code is looked at below
	if got := cmd.ProcessState.ExitCode(); got != int(want) {
		t.Errorf("%v ends with exit code %d, want %d\n%s", args, got, want, &stderr)
	}
	var said []string
	for line := range strings.Lines(stderr.String()) {
		if !strings.HasPrefix(line, "time=") { // of the log
			said = append(said, strings.TrimSpace(line))
		}
	}
	if len(said) != 1 {
		t.Errorf("%v says %q, want one line", args, said)
	}
	return strings.Join(said, "\n")
}

func holds(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
}

func TestDevUntilSIGTERM(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		dir := filepath.Join(t.TempDir(), "data")
		file := filepath.Join(t.TempDir(), "ready")
		p, r := start(t, "dev", "--dir", dir, "--listen", "127.0.0.1:0", "--ready-file", file)
		c := testkit.Dial(t, r.Address)
		c.Create("a", 1)
		c.MustProduce("a", 0, testkit.BatchOf(1, "x"))
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), r.Address) || !strings.HasSuffix(string(text), "\n") {
			t.Errorf("the ready file says %q, %v", text, err)
		}
		if r.PID != p.cmd.Process.Pid || r.ClusterID == "" || r.StartMs <= 0 {
			t.Errorf("ready says %+v", r)
		}
		p.signal(sig)
		if s := p.wait(); s.ExitCode() != 0 {
			t.Errorf("%v ends it with %v\n%s", sig, s, p.err)
		}
		if _, err := os.Stat(filepath.Join(dir, checkpoint.CleanShutdown)); err != nil {
			t.Errorf("after %v: %v", sig, err)
		}
		_, again := start(t, "dev", "--dir", dir, "--listen", "127.0.0.1:0")
		if got := testkit.Dial(t, again.Address).Read("a", 0, 0); len(got) != 1 || again.ClusterID != r.ClusterID {
			t.Errorf("the next run reads %q in cluster %s, was %s", got, again.ClusterID, r.ClusterID)
		}
	}
}

// What a newcomer is told to type goes to the node that was started, wherever the settings of the machine lead.
func TestGreetingLeadsToTheNodeItself(t *testing.T) {
	for _, c := range []struct{ servers, protocol, want string }{
		{"", "", " orders\n"},
		{"127.0.0.1:9092", "", " orders\n"},
		{"prod:9092", "", " orders -b 127.0.0.1:9092\n"},
		{"", "SSL", " orders -X security.protocol=PLAINTEXT\n"},
	} {
		var out strings.Builder
		env := map[string]string{"OTTLA_BOOTSTRAP_SERVER": c.servers, "OTTLA_SECURITY_PROTOCOL": c.protocol}
		greet(&command.World{Out: &out, Getenv: func(name string) string { return env[name] }}, ready{Address: "127.0.0.1:9092", Data: []string{"x"}})
		if !strings.Contains(out.String(), "ottla topic create"+c.want) {
			t.Errorf("%+v: %s", c, &out)
		}
	}
}

// kill -9 loses nothing that was acknowledged: the page cache is the kernel's.
func TestKilledProcessLosesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for life := range 3 {
		p, r := start(t, "dev", "--dir", dir, "--listen", "127.0.0.1:0")
		c := testkit.Dial(t, r.Address)
		if life == 0 {
			c.Create("a", 1)
		}
		if got := c.Fetch("a", 0, 0).HighWatermark; got != int64(20*life) {
			t.Fatalf("life %d begins with %d records", life, got)
		}
		for i := range 20 {
			c.MustProduce("a", 0, testkit.BatchOf(1, fmt.Sprint(i)))
		}
		p.signal(syscall.SIGKILL)
		p.wait()
	}
}

// kill -9 undoes no deletion that was acknowledged.
func TestKilledProcessKeepsDeletions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p, r := start(t, "dev", "--dir", dir, "--listen", "127.0.0.1:0")
	c := testkit.Dial(t, r.Address)
	c.Create("a", 1)
	for range 5 {
		c.MustProduce("a", 0, testkit.BatchOf(1, "x"))
	}
	if low := c.DeleteRecords("a", 0, 3); low != 3 {
		t.Fatalf("the low watermark is %d, want 3", low)
	}
	p.signal(syscall.SIGKILL)
	p.wait()
	_, again := start(t, "dev", "--dir", dir, "--listen", "127.0.0.1:0")
	if got := testkit.Dial(t, again.Address).Fetch("a", 0, 4); got.LogStartOffset != 3 || got.HighWatermark != 5 {
		t.Errorf("after kill -9 the log has %d to %d, want 3 to 5", got.LogStartOffset, got.HighWatermark)
	}
}

// A client that reads nothing holds up the stop; a second signal ends the process all the same.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	p, r := start(t, "dev", "--dir", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0")
	c := testkit.Dial(t, r.Address)
	c.Create("a", 1)
	for range 16 {
		c.MustProduce("a", 0, testkit.BatchOf(1, strings.Repeat("x", 900_000)))
	}
	deaf := testkit.Dial(t, r.Address)
	req := testkit.FetchRequest("a", 0, 0)
	req.Topics[0].Partitions[0].PartitionMaxBytes = 50 << 20
	for range 4 {
		deaf.Send(req, 12)
	}
	c.Topics()
	p.signal(syscall.SIGTERM)
	testkit.Eventually(t, "no new connections are accepted", func() bool {
		nc, err := net.Dial("tcp", r.Address)
		if err == nil {
			_ = nc.Close() // it was too early
		}
		return err != nil
	})
	p.signal(syscall.SIGTERM)
	if s, ok := p.wait().Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", p.cmd.ProcessState)
	}
}

const properties = `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:0
listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:0
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=%s
`

// configFile writes a configuration and formats its directory unless told not to.
func configFile(t *testing.T, port int, dir string, format bool) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "server.properties")
	if err := os.WriteFile(file, fmt.Appendf(nil, properties, port, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	if format {
		out, err := program("storage", "format", "--standalone", "-t", "bGF1bmNoLXRlc3QtY2x1c3Q", "-c", file).CombinedOutput()
		if err != nil {
			t.Fatalf("format: %v\n%s", err, out)
		}
	}
	return file
}

func TestStartWithAFile(t *testing.T) {
	file := configFile(t, 0, filepath.Join(t.TempDir(), "data"), true)
	p, r := start(t, "start", "--config", file, "--override", "num.partitions=3")
	if r.NodeID != 1 || r.ClusterID != "bGF1bmNoLXRlc3QtY2x1c3Q" {
		t.Errorf("ready says %+v", r)
	}
	p.signal(syscall.SIGTERM)
	if s := p.wait(); s.ExitCode() != 0 {
		t.Errorf("it ends with %v\n%s", s, p.err)
	}
}

func TestStartRefuses(t *testing.T) {
	holds(t, fails(t, command.Usage, "start"), "--config FILE")
	holds(t, fails(t, command.NotFound, "start", "--config", "/does/not/exist"), "/does/not/exist", "no such file")

	dir := filepath.Join(t.TempDir(), "data")
	bare := configFile(t, 0, dir, false)
	holds(t, fails(t, command.Failed, "start", "--config", bare), dir, "ottla storage format")
	holds(t, fails(t, command.Usage, "start", "--config", bare, "--override", "num.partitions=many"), "num.partitions", "many", "`ottla explain KEY`")

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	busy := configFile(t, port, filepath.Join(t.TempDir(), "data"), true)
	holds(t, fails(t, command.Failed, "start", "--config", busy), fmt.Sprint(port), "address already in use", "stop the other process")

	file := configFile(t, 0, filepath.Join(t.TempDir(), "data"), true)
	first, _ := start(t, "start", "--config", file)
	holds(t, fails(t, command.Failed, "start", "--config", file), "in use by another process")
	first.signal(syscall.SIGTERM)
	first.wait()
}

func TestDevRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), []byte("all I have"), 0o600); err != nil {
		t.Fatal(err)
	}
	holds(t, fails(t, command.Failed, "dev", "--dir", dir, "--listen", "127.0.0.1:0"), dir, "not empty")
	holds(t, fails(t, command.Failed, "dev", "-n", "3", "--dir", dir, "--listen", "127.0.0.1:0"), dir, "not empty")
	holds(t, fails(t, command.Usage, "dev", "--listen", "9092"), "--listen 9092", "HOST:PORT")
	holds(t, fails(t, command.Usage, "dev", "now"), "no arguments", `"now"`)
	holds(t, fails(t, command.Usage, "dev", "--listen", "0.0.0.0:9092"), "advertised.listeners", "--override advertised.listeners=PLAINTEXT://HOST:9092")
	holds(t, fails(t, command.Usage, "dev", "-n", "3", "--listen", "0.0.0.0:0"), "--listen 0.0.0.0:0", "address of this machine")
}

// A port in use is found before anything is written, and told in the words of the command.
func TestDevFindsThePortTakenFirst(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := filepath.Join(t.TempDir(), "data")
	said := fails(t, command.Failed, "dev", "--dir", dir, "--listen", taken.Addr().String())
	holds(t, said, taken.Addr().String(), "address already in use", "stop the other process", "--listen HOST:PORT")
	if strings.Contains(said, "by listeners") {
		t.Errorf("%q speaks of a configuration that is none of the user's", said)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it touched the directory: %v", err)
	}
	holds(t, fails(t, command.Failed, "dev", "--dir", dir, "--listen", "192.0.2.1:9092"), "192.0.2.1:9092", "address of this machine", "--listen")
	holds(t, fails(t, command.Failed, "dev", "--dir", "/dev/null", "--listen", "127.0.0.1:0"), "not a directory", "--dir DIR")

	_, r := start(t, "dev", "--dir", dir, "--listen", "127.0.0.1:0")
	holds(t, fails(t, command.Failed, "dev", "--dir", dir, "--listen", "127.0.0.1:0"), "in use by another process", "--dir DIR")
	holds(t, fails(t, command.Failed, "dev", "--dir", dir, "--listen", r.Address), "address already in use")
}

func TestStorageSaysWhatIsWrongInOneLine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	file := configFile(t, 0, dir, false)
	holds(t, fails(t, command.Usage, "storage"), "random-uuid", "ottla storage --help")
	holds(t, fails(t, command.Usage, "storage", "bogus"), `"bogus"`, "random-uuid")
	holds(t, fails(t, command.Usage, "storage", "format", "-c", file), "--cluster-id", "ottla storage format --help")
	holds(t, fails(t, command.NotFound, "storage", "info", "-c", "/does/not/exist"), "/does/not/exist", "no such file")
	holds(t, fails(t, command.Failed, "storage", "info", "-c", file), "not fit for use", "ottla storage format")
	holds(t, fails(t, command.Failed, "storage", "format", "-t", "x", "-c", file), "--standalone")

	holds(t, fails(t, command.Usage, "storage", "format", "-t", "x", "-I", "1@host:9093", "-c", file), "No colon following port", "ID@HOST:PORT:DIRECTORY", "random-uuid")
	bad := filepath.Join(t.TempDir(), "bad.properties")
	if err := os.WriteFile(bad, []byte("process.roles=broker,controller\nnum.partitions=many\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	holds(t, fails(t, command.Usage, "storage", "info", "-c", bad), "num.partitions", "`ottla explain KEY`")

	file = configFile(t, 0, dir, true) // and a second time with an id of the same cluster, and of another
	for _, id := range []string{"bGF1bmNoLXRlc3QtY2x1c3Q", "AAAAAAAAAAAAAAAAAAAAAQ"} {
		holds(t, fails(t, command.Failed, "storage", "format", "--standalone", "-t", id, "-c", file), dir, "ottla start")
	}
}

// Three nodes, each a process: one is killed, and what was acknowledged is still read and written. Ctrl-C ends what is left, in good order.
func TestDevOfThreeSurvivesAKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p, c := startSeveral(t, dir)
	if len(c.Nodes) != 3 || c.ClusterID == "" || strings.Count(c.Address, ",") != 2 {
		t.Fatalf("ready says %+v", c)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(c.Address, ",")...), kgo.MetadataMinAge(20*time.Millisecond), kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for i := range 20 {
		if i == 10 {
			if err := syscall.Kill(c.Nodes[1].PID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.ProduceSync(ctx, kgo.StringRecord(fmt.Sprint(i))).FirstErr(); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
	line, err := p.lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	holds(t, line, "Node 2 has ended (signal: killed)", "ottla start --config", filepath.Join(dir, "node-2", "server.properties"))
	p.signal(syscall.SIGINT)
	if s := p.wait(); s.ExitCode() != 0 {
		t.Errorf("Ctrl-C ends it with %v\n%s", s, p.err)
	}
	for node, clean := range map[string]bool{"node-1": true, "node-2": false, "node-3": true} {
		if _, err := os.Stat(filepath.Join(dir, node, "data", checkpoint.CleanShutdown)); (err == nil) != clean {
			t.Errorf("%s: %v", node, err)
		}
	}
	p, again := startSeveral(t, dir)
	if again.ClusterID != c.ClusterID {
		t.Errorf("the next run is of cluster %s, was %s", again.ClusterID, c.ClusterID)
	}
	p.signal(syscall.SIGINT) // the nodes outlive a parent that is killed, and write
	if s := p.wait(); s.ExitCode() != 0 {
		t.Errorf("Ctrl-C ends it with %v\n%s", s, p.err)
	}
}

// A directory is of a lone node or of a cluster of so many, and `ottla dev` says which and what to type; nothing in it is touched.
func TestDevKeepsToItsOwnDirectory(t *testing.T) {
	several, one := filepath.Join(t.TempDir(), "several"), filepath.Join(t.TempDir(), "one node")
	p, c := startSeveral(t, several)
	before := names(t, several)
	said := fails(t, command.Failed, "dev", "--dir", several, "--listen", "127.0.0.1:0")
	holds(t, said, several+" holds a cluster of 3 nodes", "`ottla dev -n 3 --dir "+several+"` goes on with it", "--dir DIR takes another")
	holds(t, fails(t, command.Failed, "dev", "-n", "5", "--dir", several, "--listen", "127.0.0.1:0"), "holds a cluster of 3 nodes", "`ottla dev -n 3 ")

	// Of the same size, while the first lives: neither the files of the nodes nor they are touched.
	file := filepath.Join(several, "node-3", "server.properties")
	properties, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(c.Nodes[2].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	said = fails(t, command.Failed, "dev", "-n", "3", "--dir", several, "--listen", "127.0.0.1:0")
	holds(t, said, several, "in use by another process", "--dir DIR")
	host, port, err := splitListen(c.Nodes[0].Address)
	if err != nil {
		t.Fatal(err)
	}
	said = fails(t, command.Failed, "dev", "-n", "3", "--dir", several, "--listen", fmt.Sprintf("%s:%d", host, port))
	holds(t, said, c.Nodes[0].Address, "address already in use", "--listen HOST:PORT")
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, properties) {
		t.Errorf("node 3's configuration is now %q, %v", after, err)
	}
	p.signal(syscall.SIGINT)
	p.wait()
	if after := names(t, several); !slices.Equal(before, after) {
		t.Errorf("it holds %q, and held %q", after, before)
	}

	lone, _ := start(t, "dev", "--dir", one, "--listen", "127.0.0.1:0")
	lone.signal(syscall.SIGTERM)
	lone.wait()
	before = names(t, one)
	said = fails(t, command.Failed, "dev", "-n", "3", "--dir", one, "--listen", "127.0.0.1:0")
	holds(t, said, "holds a single node's data", "`ottla dev --dir '"+one+"'` goes on with it")
	if after := names(t, one); !slices.Equal(before, after) {
		t.Errorf("it holds %q, and held %q", after, before)
	}
}

// names are those of what a directory holds.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// What is said of a node that ended works from any directory.
func TestDevOfThreeTellsWholePaths(t *testing.T) {
	t.Chdir(t.TempDir())
	p, c := startSeveral(t, "here and now")
	if err := syscall.Kill(c.Nodes[1].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	line, err := p.lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	own, err := filepath.Abs("here and now")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(own, "node-2", "server.properties")
	holds(t, line, "ottla start --config '"+file+"'\n")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	holds(t, string(text), "log.dirs="+filepath.Join(own, "node-2", "data")+"\n")
	p.signal(syscall.SIGINT)
	p.wait()
}

// A configuration may come by a pipe, as of a shell's <(…).
func TestStorageReadsAPipe(t *testing.T) {
	text, err := os.ReadFile(configFile(t, 0, filepath.Join(t.TempDir(), "data"), false))
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	w.Close()
	cmd := program("storage", "format", "--standalone", "-t", "bGF1bmNoLXRlc3QtY2x1c3Q", "-c", "/dev/fd/3")
	cmd.ExtraFiles = []*os.File{r}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("format: %v\n%s", err, out)
	}
}

func TestDevOfTwoIsRefused(t *testing.T) {
	holds(t, fails(t, command.Usage, "dev", "-n", "2"), "of two nodes none can go on alone")
}
