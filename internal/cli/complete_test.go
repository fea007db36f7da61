package cli

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ottla/ottla/internal/cli/command"
)

// Names are asked for once in some seconds: who presses TAB again waits for nothing, even when the server is gone.
func TestNamesAreRemembered(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders", "audit"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	address := c.ListenAddrs()[0]
	cache, now := t.TempDir(), time.Now()
	offers := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		w := &command.World{
			In: strings.NewReader(""), Out: &out, Err: io.Discard, CacheDir: cache, Getenv: func(string) string { return "" },
			Now: func() time.Time { return now }, Interruptible: context.WithCancel,
		}
		if code := Run(t.Context(), w, append([]string{"__complete"}, args...)); code != int(command.OK) {
			t.Fatalf("exit code %d", code)
		}
		names, _, _ := strings.Cut(out.String(), ":")
		return strings.Join(strings.Fields(names), " ")
	}
	expect := func(want string, args ...string) {
		t.Helper()
		if got := offers(args...); got != want {
			t.Errorf("%q offers %q, want %q", args, got, want)
		}
	}
	expect("audit orders", "topic", "describe", "-b", address, "")
	c.Close()
	expect("audit orders", "topic", "describe", "-b", address, "")
	expect("", "topic", "delete", "-b", address, "") // another question
	now = now.Add(6 * time.Second)
	expect("", "topic", "describe", "-b", address, "")
}
