package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/compat/peer"
)

// result is what a tool printed and its exit code.
type result struct {
	out, err string
	exit     int
}

// side runs the tools of one side.
type side interface {
	run(ctx context.Context, tool string, args []string, stdin string) (result, error)
}

// ours runs ottla, by its first word or by a link in turn.
type ours struct {
	binary, links string
	dir           string
	runs          int
}

// within bounds one invocation.
const within = 40 * time.Second

func (o *ours) run(ctx context.Context, tool string, args []string, stdin string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	argv := append([]string{o.binary, tool}, args...)
	switch o.runs++; o.runs % 3 {
	case 0:
		argv = append([]string{filepath.Join(o.links, tool)}, args...)
	case 1:
		argv = append([]string{filepath.Join(o.links, tool+".sh")}, args...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Dir = strings.NewReader(stdin), &out, &errs, o.dir
	cmd.Env = append(os.Environ(), "OTTLA_COMPAT_VERSION="+peer.ToolsVersion)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return result{}, err
	}
	if ctx.Err() != nil {
		return result{}, fmt.Errorf("%s did not end in %v", strings.Join(argv, " "), within)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}, nil
}

// cell is one side on one server.
type cell struct {
	peer   *peer.Peer
	side   side
	files  string
	broken error
}

// prepare makes what the invocations find: topics and records with timestamps, the same on every server.
func (c *cell) prepare(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.peer.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DisableIdempotentWrite(),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for _, t := range prepared {
		made, err := admin.CreateTopic(ctx, t.partitions, 1, t.configs, t.name)
		if err := cmp.Or(err, made.Err); err != nil {
			return fmt.Errorf("prepare %s: %w", t.name, err)
		}
		for p, n := range t.records {
			for i := range n {
				r := &kgo.Record{Topic: t.name, Partition: int32(p), Key: fmt.Appendf(nil, "k%d", i), Value: fmt.Appendf(nil, "value %d of %s", i, t.name),
					Timestamp: time.UnixMilli(1_700_000_000_000 + int64(i)*1000)}
				if err := client.ProduceSync(ctx, r).FirstErr(); err != nil {
					return fmt.Errorf("prepare %s: %w", t.name, err)
				}
			}
		}
	}
	return nil
}

// do runs an invocation.
func (c *cell) do(ctx context.Context, i invocation) (result, error) {
	args, err := i.args(c.vars())
	if err != nil {
		return result{}, err
	}
	r, err := c.side.run(ctx, i.tool(), args, i.stdin)
	r.out = c.normal(r.out, i.rules)
	return r, err
}

func (c *cell) vars() map[string]string {
	_, port, _ := net.SplitHostPort(c.peer.Addr())
	return map[string]string{"$B": c.peer.Addr(), "$C": c.peer.ControllerAddr(), "$F": c.files, "$D": c.peer.Dir(), "$P": port}
}

var topicID = regexp.MustCompile(`(TopicId: |topicId[=:] ?|TopicId ')[A-Za-z0-9_-]{22}`)

// normal frees an output of what differs between any two servers, and of what the rules take away.
func (c *cell) normal(out string, rules []rule) string {
	host, port, _ := net.SplitHostPort(c.peer.Addr())
	_, controller, _ := net.SplitHostPort(c.peer.ControllerAddr())
	out = strings.NewReplacer(c.peer.Dir(), "DIR", c.peer.Addr(), "SERVER", c.peer.ControllerAddr(), "CONTROLLER",
		host+", port="+port, "SERVER", host+", port="+controller, "CONTROLLER",
		"localhost:"+port, "SERVER").Replace(out)
	for word, p := range map[string]string{"PORT": port, "CONTROLLERPORT": controller} {
		out = regexp.MustCompile(`\b`+p+`\b`).ReplaceAllString(out, word)
	}
	out = topicID.ReplaceAllString(out, "${1}ID")
	for _, r := range rules {
		if r.re == nil {
			lines := strings.Split(out, "\n")
			slices.Sort(lines)
			out = strings.Join(lines, "\n")
			continue
		}
		out = r.re.ReplaceAllString(out, r.with)
	}
	return out
}
