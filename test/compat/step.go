package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ottla/ottla/test/compat/clients"
)

// step is one line that a client program printed.
type step struct {
	Step   string          `json:"step"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
	Code   *int            `json:"code,omitempty"` // the server's, when Error carries one
	Skip   string          `json:"skip,omitempty"`
	Tries  int             `json:"tries,omitempty"` // how often it was tried, when the servers are hurt
}

// outcome is the part of a step that two peers must agree on, in one canonical text. The wording of a library's
// error may hold addresses; its code may not differ.
func (s step) outcome() string {
	switch {
	case s.Skip != "":
		return "skip: " + s.Skip
	case s.Error != "" && s.Code != nil:
		return fmt.Sprintf("error code %d", *s.Code)
	case s.Error != "":
		return "error: " + s.Error
	}
	var v any
	if err := json.Unmarshal(s.Result, &v); err != nil {
		return "not JSON: " + string(s.Result)
	}
	b, err := json.Marshal(v) // sorts the keys of objects
	if err != nil {
		return "not JSON: " + string(s.Result)
	}
	return string(b)
}

// perClient bounds one run of one client program.
const perClient = 3 * time.Minute

// runClient runs a scenario of a client and reads its steps. Whatever the program says on stderr goes to a file.
func (s *suite) runClient(ctx context.Context, c clients.Client, scenario string) ([]step, error) {
	ctx, cancel := context.WithTimeout(ctx, perClient)
	defer cancel()
	cmd := s.command(ctx, c, scenario)
	var out bytes.Buffer
	cmd.Stdout = &out
	stderr, err := os.Create(s.stderr(c, scenario))
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	cmd.Stderr = stderr
	err = cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("ended after %v: %w", perClient, err)
	}
	steps, parseErr := parseSteps(out.Bytes())
	return steps, errors.Join(err, parseErr)
}

// stderr is the file that a client's own words go to.
func (s *suite) stderr(c clients.Client, scenario string) string {
	return filepath.Join(s.dir, "clients", c.Name+"."+scenario+".err")
}

// command is a client's program, which ends with ctx.
func (s *suite) command(ctx context.Context, c clients.Client, scenario string) *exec.Cmd {
	argv := append(c.Argv(s.install), s.addr, scenario, filepath.Join(s.dir, "clients"))
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "COMPAT_TOOLS="+s.install.ToolJars, "COMPAT_REPLICAS="+strconv.Itoa(s.o.nodes), "PYTHONDONTWRITEBYTECODE=1")
	if s.o.hurt {
		cmd.Env = append(cmd.Env, "COMPAT_HURT=1")
	}
	cmd.WaitDelay = 5 * time.Second
	// The Java tools are children of the program: the whole group ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

func parseSteps(out []byte) ([]step, error) {
	var steps []step
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if !strings.HasPrefix(line, "{") {
			continue // librdkafka writes its own log where it likes
		}
		var s step
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			return steps, fmt.Errorf("not a step: %s", line)
		}
		steps = append(steps, s)
	}
	return steps, lines.Err()
}

// triedAgain names the steps that a client did not do at once.
func triedAgain(steps []step) string {
	var names []string
	for _, s := range steps {
		if s.Tries > 1 {
			names = append(names, fmt.Sprintf("%s (%d times)", s.Step, s.Tries))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ", tried again: " + strings.Join(names, ", ")
}
