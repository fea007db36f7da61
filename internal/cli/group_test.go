package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ottla/ottla/internal/cli/command"
)

// watcher is an end of a pipe that presses Ctrl-C when the picture has been drawn so many times.
type watcher struct {
	bytes.Buffer
	after     int
	interrupt context.CancelFunc
}

func (w *watcher) Write(p []byte) (int, error) {
	if w.after -= bytes.Count(p, []byte("Ctrl-C ends")); w.after <= 0 {
		w.interrupt()
	}
	return w.Buffer.Write(p)
}

// A person at a terminal sees one picture that is renewed in place, cut to the width, and ends it by Ctrl-C, which is success.
func TestWatchOnATerminal(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "a-topic-with-quite-a-long-name-to-be-cut"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	out, problems := &watcher{after: 3}, &bytes.Buffer{}
	w := &command.World{
		In: strings.NewReader(""), Out: out, Err: problems, OutTTY: true, Width: 60,
		Getenv: func(string) string { return "" }, Now: func() time.Time { return time.Unix(1769860800, 0) },
		Interruptible: func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, out.interrupt = context.WithCancel(ctx)
			return ctx, out.interrupt
		},
	}
	run := func(args ...string) {
		t.Helper()
		if code := Run(t.Context(), w, append(args, "-b", c.ListenAddrs()[0], "--color", "never")); code != int(command.OK) {
			t.Fatalf("%v: exit code %d: %s", args, code, problems.String())
		}
	}
	out.interrupt = func() {}
	run("group", "seek", "billing", "--to", "start", "-t", "a-topic-with-quite-a-long-name-to-be-cut", "--yes")
	out.Reset()
	out.after = 3
	run("group", "watch", "billing", "--every", "1ms")
	pictures := strings.Split(out.String(), "\x1b[H\x1b[J")
	if len(pictures) != 4 || pictures[0] != "" {
		t.Fatalf("%d pictures: %q", len(pictures)-1, out.String())
	}
	const picture = `2026-01-31T12:00:00Z, every 1ms; Ctrl-C ends

Group:        billing
Type:         classic
State:        Empty
Assignor:     -
Coordinator:  0 (ADDRESS)
Members:      0
Lag:          0 records

TOPIC                PARTITION  COMMITTED  END  LAG  SECONDS
a-topic-with-quite…          0          0    0    0        -
`
	if got := strings.ReplaceAll(pictures[3], c.ListenAddrs()[0], "ADDRESS"); got != picture {
		t.Errorf("the picture is\n%s", got)
	}
}
