package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/ottla/ottla/test/compat/clients"
	"github.com/ottla/ottla/test/pause"
)

// loads are the clients that can be under load: a producer and a consumer of each, as they come, write and read all the time.
var loads = []string{"franz", "java", "confluent-go"}

// load is a client's program under load.
type load struct {
	client clients.Client
	cmd    *exec.Cmd
	stop   io.Closer // its standard input
	out    *bytes.Buffer
}

// loaded is what a program says at the end; clients/golang/contract has the words.
type loaded struct {
	Acked, Read, Again int
	SlowestMs, GapMs   int64
	Errors             []string
}

// roll restarts one node after another, twice, while clients write and read, and wants every record there, once, in order, and no error
// that an application would see.
func (s *suite) roll(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel() // ends what is still there
	var all []*load
	for _, c := range s.o.clients {
		l, err := s.begin(ctx, c)
		if err != nil {
			return false, err
		}
		all = append(all, l)
	}
	if err := pause.For(ctx, 5*time.Second); err != nil { // a JVM takes its time to start, and then to be fast
		return false, err
	}
	for i := range 2 * s.servers.Len() {
		if err := s.restart(ctx, i%s.servers.Len()); err != nil {
			return false, err
		}
		if err := pause.For(ctx, calm); err != nil {
			return false, err
		}
	}
	for _, l := range all {
		if err := l.stop.Close(); err != nil {
			return false, err
		}
	}
	ok := true
	for _, l := range all {
		good, err := l.judge()
		if err != nil {
			return false, fmt.Errorf("%s: %w\n%s", l.client.Name, err, lastLines(s.stderr(l.client, "load"), 5))
		}
		ok = ok && good
	}
	return ok, nil
}

// begin starts a client's program.
func (s *suite) begin(ctx context.Context, c clients.Client) (*load, error) {
	l := &load{client: c, cmd: s.command(ctx, c, "load"), out: &bytes.Buffer{}}
	l.cmd.Stdout = l.out
	stderr, err := os.Create(s.stderr(c, "load"))
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	l.cmd.Stderr = stderr
	if l.stop, err = l.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return l, l.cmd.Start()
}

// restart asks a node to end, or kills it, starts it again, and waits until all is in sync.
func (s *suite) restart(ctx context.Context, i int) error {
	began := time.Now()
	node, how := s.servers.Node(i), "stopped"
	if s.o.hurt {
		how = "killed"
		if err := node.Kill(); err != nil {
			return err
		}
	} else if err := node.Stop(ctx); err != nil {
		return err
	}
	ended := time.Since(began)
	if err := s.servers.Start(ctx, i); err != nil {
		return err
	}
	started := time.Since(began) - ended
	if err := s.settle(ctx); err != nil {
		return err
	}
	fmt.Printf("%s node %d in %v, started in %v, all in sync %v after it began\n", how, i+1,
		ended.Round(time.Millisecond), started.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	return nil
}

// judge waits for the program's last word and prints it.
func (l *load) judge() (bool, error) {
	err := l.cmd.Wait()
	steps, parseErr := parseSteps(l.out.Bytes())
	if err := errors.Join(err, parseErr); err != nil {
		return false, err
	}
	if len(steps) != 1 || steps[0].Error != "" || steps[0].Skip != "" {
		return false, fmt.Errorf("it said %q", l.out)
	}
	var got loaded
	if err := json.Unmarshal(steps[0].Result, &got); err != nil {
		return false, err
	}
	ok := got.Acked > 0 && got.Read == got.Acked && len(got.Errors) == 0
	word := "ok  "
	if !ok {
		word = "FAIL"
	}
	fmt.Printf("%s %-13s %d acknowledged, %d read, %d of them twice, slowest acknowledgement %d ms, longest time without a record %d ms, %d errors\n",
		word, l.client.Name, got.Acked, got.Read, got.Again, got.SlowestMs, got.GapMs, len(got.Errors))
	for _, e := range got.Errors {
		fmt.Println("     ", e)
	}
	return ok, nil
}
