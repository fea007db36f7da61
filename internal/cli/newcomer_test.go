package cli

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ottla/ottla/internal/cli/command"
)

// newcomer is somebody at a terminal who has never seen it, and does what the last output says.
type newcomer struct {
	t    *testing.T
	env  map[string]string
	seen string
}

// types runs a command line and reads what is printed.
func (n *newcomer) types(line, input string) {
	n.t.Helper()
	var out, problems bytes.Buffer
	w := &command.World{
		In: strings.NewReader(input), Out: &out, Err: &problems, ErrTTY: true, OutTTY: true, Width: 200,
		Getenv: func(name string) string { return n.env[name] }, Now: time.Now, Interruptible: context.WithCancel,
	}
	ctx, cancel := context.WithTimeout(n.t.Context(), time.Minute)
	defer cancel()
	if code := Run(ctx, w, strings.Fields(line)[1:]); code != int(command.OK) {
		n.t.Fatalf("%s: exit code %d: %s", line, code, problems.String())
	}
	n.seen = out.String() + problems.String()
}

// sees requires that the last output shows a command that matches, and returns it.
func (n *newcomer) sees(pattern string) string {
	n.t.Helper()
	found := regexp.MustCompile(pattern).FindString(n.seen)
	if found == "" {
		n.t.Fatalf("nothing like %s in\n%s", pattern, n.seen)
	}
	return found
}

// From `ottla` to a topic, records in and out, a group and its lag: every step is named by the output of the one before.
func TestNewcomer(t *testing.T) {
	n := &newcomer{t: t, env: map[string]string{"NO_COLOR": "1", "OTTLA_BOOTSTRAP_SERVER": free(t)}}
	n.types("ottla", "")
	n.sees("No server answers at 127.0.0.1:[0-9]+")
	n.sees("(?m)^  ottla dev ")

	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n.env["OTTLA_BOOTSTRAP_SERVER"] = c.ListenAddrs()[0]
	n.types("ottla topic list", "")
	n.sees("next: `ottla topic create NAME`")
	n.types("ottla group list", "")
	n.sees("next: `ottla consume TOPIC --group NAME`")
	n.types("ottla", "")
	n.sees("A server answers at 127.0.0.1:[0-9]+, with 0 topics and 0 groups")
	n.types(n.sees("ottla topic create orders"), "")
	produce := strings.TrimPrefix(n.sees(`echo hello \| ottla produce orders`), "echo hello | ")
	n.types(produce, "hello\nworld\n")
	n.types(n.sees("ottla consume orders"), "")
	n.sees("(?m)^hello$")
	n.types(n.sees("ottla consume orders --group readers")+" -n 1", "")
	n.types(n.sees("ottla group describe readers"), "")
	n.sees("Lag: +1 record")
	n.types("ottla", "")
	n.sees("with 1 topic and 1 group")
	n.sees(`seq 3 \| ottla produce orders`)

	// Who asks another server is led on at that one.
	n.env["OTTLA_BOOTSTRAP_SERVER"] = ""
	n.types("ottla topic create more -b "+c.ListenAddrs()[0], "")
	n.sees(`ottla produce more -b 127.0.0.1:[0-9]+`)
	n.types("ottla -b "+c.ListenAddrs()[0], "")
	n.sees("A server answers at " + c.ListenAddrs()[0])
	n.types(n.sees("ottla consume [a-z]+ -b 127.0.0.1:[0-9]+"), "")
}

// A script is not led: nothing but what it asked for.
func TestScriptsAreNotLed(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var out, problems bytes.Buffer
	w := &command.World{
		In: strings.NewReader(""), Out: &out, Err: &problems, Getenv: func(string) string { return "" }, Now: time.Now, Interruptible: context.WithCancel,
	}
	if code := Run(t.Context(), w, []string{"topic", "create", "x", "-b", c.ListenAddrs()[0]}); code != 0 || problems.Len() > 0 {
		t.Errorf("exit code %d: %s", code, problems.String())
	}
}
