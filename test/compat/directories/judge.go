package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
)

// judge is the process of Apache Kafka's own clients.
type judge struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan []byte
}

// startJudge compiles and starts the clients, which will talk to whoever serves at addr.
func startJudge(ctx context.Context, addr, dir string) (*judge, error) {
	jars, err := peer.ServerJars(ctx)
	if err != nil {
		return nil, err
	}
	root, err := peer.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	sources, err := filepath.Glob(filepath.Join(root, "test/compat/directories/judge/*.java"))
	if err != nil {
		return nil, err
	}
	classes := filepath.Join(dir, "judge")
	if out, err := exec.CommandContext(ctx, "javac", append([]string{"-nowarn", "-d", classes, "-cp", jars}, sources...)...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile the judge: %w\n%s", err, out)
	}
	cmd := exec.CommandContext(ctx, "java", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-Dorg.apache.logging.log4j.level=OFF",
		"-cp", classes+":"+jars, "Judge", addr)
	stderr, err := os.OpenFile(filepath.Join(dir, "judge.err"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	j := &judge{cmd: cmd, in: in, lines: make(chan []byte)}
	go func() {
		defer close(j.lines)
		s := bufio.NewScanner(out)
		s.Buffer(nil, 256<<20)
		for s.Scan() {
			j.lines <- bytes.Clone(s.Bytes())
		}
	}()
	return j, nil
}

// end stops the process.
func (j *judge) end() {
	_ = j.in.Close() // it then halts by itself
	select {
	case <-j.lines:
	case <-time.After(5 * time.Second):
		_ = j.cmd.Process.Kill()
	}
	_ = j.cmd.Wait()
}

// order is a line for the judge.
type order map[string]any

// refusal is an error that the clients were given.
type refusal struct{ text string }

func (r refusal) Error() string { return r.text }

// ask has the judge do something and reads its answer into out, unless that is nil.
func (j *judge) ask(o order, out any) error {
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if _, err := j.in.Write(append(line, '\n')); err != nil {
		return err
	}
	select {
	case b, ok := <-j.lines:
		if !ok {
			return errors.New("the judge has ended: see judge.err")
		}
		var answer struct {
			OK    json.RawMessage `json:"ok"`
			Error string          `json:"error"`
		}
		if err := json.Unmarshal(b, &answer); err != nil {
			return fmt.Errorf("the judge says %.200q: %w", b, err)
		}
		if answer.Error != "" {
			return refusal{fmt.Sprintf("%v %v: %s", o["do"], o["topic"], answer.Error)}
		}
		if out == nil {
			return nil
		}
		return json.Unmarshal(answer.OK, out)
	case <-time.After(2 * time.Minute):
		return fmt.Errorf("no answer to %.200s", line)
	}
}
