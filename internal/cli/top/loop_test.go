package top

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ottla/ottla/internal/cli/command"
)

// picture tells when something is on the screen.
type picture struct {
	bytes.Buffer
	until string
	seen  chan struct{}
}

func (p *picture) Write(b []byte) (int, error) {
	if p.until != "" && strings.Contains(string(b), p.until) {
		p.until = ""
		close(p.seen)
	}
	return p.Buffer.Write(b)
}

// At a terminal the screen is taken over, keys act at once, q gives both back, and the command has succeeded.
func TestAtATerminal(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	screen := &picture{until: "orders", seen: make(chan struct{})}
	keys := make(chan []byte)
	restored := false
	w := &command.World{
		In: strings.NewReader(""), Out: screen, Err: &bytes.Buffer{}, InTTY: true, OutTTY: true,
		Getenv: func(string) string { return "" }, Now: func() time.Time { return time.Unix(1769860800, 0) },
		Size:          func() (int, int) { return 70, 12 },
		Keyboard:      func() (<-chan []byte, func(), error) { return keys, func() { restored = true }, nil },
		Interruptible: context.WithCancel,
	}
	cmd := Command(command.NewApp(w))
	cmd.SetArgs([]string{"-b", c.ListenAddrs()[0]})
	ended := make(chan error, 1)
	go func() { ended <- cmd.ExecuteContext(t.Context()) }()
	<-screen.seen
	keys <- []byte("b")
	keys <- []byte("q")
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if !restored {
		t.Error("the keyboard was not given back")
	}
	got := screen.String()
	for _, want := range []string{"\x1b[?1049h\x1b[?25l", "ADDRESS", "\x1b[?25h\x1b[?1049l"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q on the screen: %q", want, got)
		}
	}
}
