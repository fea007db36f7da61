package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	foreign "github.com/ottla/ottla/test/compat/clients"
)

// driver runs Apache's tools in one JVM, which is started again after a tool that ended it.
type driver struct {
	install *foreign.Installer
	dir     string

	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Reader
}

// order and answer are the lines of Driver.java.
type order struct {
	Class string   `json:"class"`
	Args  []string `json:"args"`
	Stdin string   `json:"stdin"`
}

type answer struct {
	Out  string `json:"out"`
	Err  string `json:"err"`
	Exit int    `json:"exit"`
}

func (d *driver) start() error {
	d.cmd = exec.Command("java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Duser.timezone=UTC",
		"-Dorg.apache.logging.log4j.level=OFF", "-cp", d.install.ToolJars, "Driver")
	d.cmd.Dir, d.cmd.Stderr = d.dir, os.Stderr
	var err error
	if d.in, err = d.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	d.lines = bufio.NewReaderSize(out, 1<<20)
	return d.cmd.Start()
}

// close ends the JVM.
func (d *driver) close() {
	if d.cmd == nil {
		return
	}
	d.in.Close()
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
	d.cmd = nil
}

func (d *driver) run(ctx context.Context, tool string, args []string, stdin string) (result, error) {
	class, known := classes[tool]
	if !known {
		return result{}, fmt.Errorf("no class is known for %s", tool)
	}
	if d.cmd == nil {
		if err := d.start(); err != nil {
			return result{}, err
		}
	}
	line, err := json.Marshal(order{class, args, stdin})
	if err != nil {
		return result{}, err
	}
	if _, err := d.in.Write(append(line, '\n')); err != nil {
		return result{}, err
	}
	read := make(chan error, 1)
	var a answer
	go func() {
		b, err := d.lines.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(b, &a)
		}
		read <- err
	}()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case err = <-read:
		if errors.Is(err, io.EOF) {
			return d.ended()
		}
	case <-timer.C:
		d.close()
		<-read
		err = fmt.Errorf("Apache's %s did not end in %v", tool, within)
	case <-ctx.Done():
		d.close()
		<-read
		err = ctx.Err()
	}
	return result{latin1(a.Out), a.Err, a.Exit}, err
}

// ended is the result of a tool that ended the JVM itself, as argparse4j does after it has printed to stderr what is wrong.
func (d *driver) ended() (result, error) {
	err := d.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return result{}, err
	}
	r := result{exit: d.cmd.ProcessState.ExitCode()}
	d.cmd = nil
	return r, nil
}

// latin1 gives back the bytes that Driver.java wrote as one character each.
func latin1(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}
