package top

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
)

// Command is `ottla top`.
func Command(a *command.App) *cobra.Command {
	cmd := a.Watching(&cobra.Command{
		Use:   "top",
		Short: "Watch the whole cluster: topics, groups and brokers, by their rates",
		Long: "Watch the whole cluster on one screen: topics with the records written each second, groups with their lag, brokers.\n\n" +
			"Keys:\n" + helpText + "\n\n" +
			"Elsewhere than on a terminal each look is a line of JSON.",
		Args: command.Args(0, 0, "no arguments"),
	}, func(ctx context.Context, s *command.Server, _ []string, looks command.Looks) error {
		l := &loop{Looks: looks, app: a, server: s, model: newModel()}
		return l.run(ctx)
	})
	a.ClientFlags(cmd.Flags())
	return a.Prints(cmd, command.LinesOf[sample]())
}

// loop asks the server now and then, and draws. One goroutine asks, so that the keyboard is never kept waiting; the loop owns the model.
type loop struct {
	command.Looks
	app    *command.App
	server *command.Server
	model  *model
}

// looked is what became of one look.
type looked struct {
	sample *sample
	err    error
}

// run looks until ctx ends, the user quits, or it has looked often enough. The first look must succeed; what fails later may heal.
func (l *loop) run(ctx context.Context) error {
	w := l.app.World
	screen := w.OutTTY && w.InTTY && w.Keyboard != nil && l.app.Output.Value == "table"
	var keys <-chan []byte
	if screen {
		pressed, restore, err := w.Keyboard()
		if err != nil {
			return &command.Error{What: "read the keyboard", Err: err}
		}
		defer restore()
		keys = pressed
		const other, hide, show, back = "\x1b[?1049h", "\x1b[?25l", "\x1b[?25h", "\x1b[?1049l"
		fmt.Fprint(w.Out, other+hide)
		defer fmt.Fprint(w.Out, show+back)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	looks := make(chan looked)
	go l.look(ctx, looks)
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case pressed := <-keys:
			for _, k := range decode(pressed) {
				if l.model.press(k) {
					return nil
				}
			}
		case got := <-looks:
			if got.err != nil {
				if l.model.last == nil {
					return got.err
				}
				l.model.trouble = command.OneLine(got.err)
				break
			}
			l.model.take(got.sample)
			if !screen {
				if err := l.line(got.sample); err != nil {
					return err
				}
			}
			if n++; n == l.Most {
				return nil
			}
		}
		if screen && l.model.last != nil {
			l.draw()
		}
	}
}

// look sends a look every while until ctx ends.
func (l *loop) look(ctx context.Context, to chan<- looked) {
	ticks := time.NewTicker(l.Every)
	defer ticks.Stop()
	for {
		asking, cancel := l.app.Bounded(ctx)
		s, err := look(asking, l.server, l.app.World.Now())
		cancel()
		select {
		case to <- looked{s, err}:
		case <-ctx.Done():
			return
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
	}
}

func (l *loop) line(s *sample) error {
	if err := command.Encode(l.app.Out, s); err != nil {
		return err
	}
	return l.app.Out.Flush()
}

// draw writes the screen over the last one. A terminal in raw mode wants the carriage returned.
func (l *loop) draw() {
	width, height := l.app.World.Width, 0
	if l.app.World.Size != nil {
		width, height = l.app.World.Size()
	}
	var bold func(string) string
	if l.app.Colours(true) {
		bold = func(s string) string { return "\x1b[1m" + s + "\x1b[0m" }
	}
	const home, clearLine, clearRest = "\x1b[H", "\x1b[K", "\x1b[J"
	lines := l.model.screen(width, height, bold)
	fmt.Fprint(l.app.World.Out, home+strings.Join(lines, clearLine+"\r\n")+clearLine+clearRest)
}
