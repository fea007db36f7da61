package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// event is one line that a member printed, or its end.
type event struct {
	from      *process
	at        time.Time       // when the line was read
	Assigned  []int32         `json:"assigned"`
	Revoked   []int32         `json:"revoked"`
	Read      []message       `json:"read"`
	Committed map[int32]int64 `json:"committed"`
	Left      bool            `json:"left"`
	Error     string          `json:"error"`
	ended     bool
}

// message is a record as a member read it.
type message struct {
	partition int32
	offset    int64
	value     string
}

// UnmarshalJSON reads [partition, offset, value].
func (m *message) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&m.partition, &m.offset, &m.value})
}

// process is one running member.
type process struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
}

// spawn starts a member; what it prints goes to events until it ends.
func (r *run) spawn(ctx context.Context, name string, m member) (*process, error) {
	argv := append(r.client.Argv(r.install), strings.Join(r.servers.Addrs(), ","), "member", r.dir)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "COMPAT_TOOLS="+r.install.ToolJars, "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1")
	// What a program starts ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	stderr, err := os.Create(filepath.Join(r.dir, name+".err"))
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	cmd.Stderr = stderr
	p := &process{name: name, cmd: cmd}
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go p.listen(out, r.events)
	line, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(p.stdin, "%s\n", line)
	return p, err
}

// listen passes on what a member prints, and reaps it.
func (p *process) listen(out io.Reader, events chan<- event) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "{") {
			continue // librdkafka writes its own log where it likes
		}
		e := event{from: p, at: time.Now()}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			e = event{from: p, at: time.Now(), Error: "not an event: " + lines.Text()}
		}
		events <- e
	}
	_ = p.cmd.Wait() // a member that is killed ends with an error: its lines count, not its exit code
	events <- event{from: p, at: time.Now(), ended: true}
}

// leave asks the member to leave the group.
func (p *process) leave() { _, _ = io.WriteString(p.stdin, "leave\n") }

// kill ends the member and what it started, as a crash does.
func (p *process) kill() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }
