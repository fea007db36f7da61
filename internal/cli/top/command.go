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
		l := &loop{Looks: looks, app: a, server: s, vigil: a.Vigil(s), model: newModel()}
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
	vigil  *command.Vigil
	model  *model
	screen bool
}

// looked is what became of one look.
type looked struct {
	at     time.Time // when it was begun
	sample *sample
	err    error
}

// glance is how often the loop looks whether the server is still there: a question that nobody answers takes long to fail.
const glance = time.Second

// run looks until ctx ends, the user quits, or it has looked often enough. The first look must succeed; what fails later may heal.
func (l *loop) run(ctx context.Context) error {
	w := l.app.World
	l.screen = w.OutTTY && w.InTTY && w.Keyboard != nil && l.app.Output.Value == "table"
	var keys <-chan []byte
	if l.screen {
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
	glances := time.NewTicker(glance)
	defer glances.Stop()
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
		case <-glances.C:
			if since, why, gone := l.vigil.Gone(); gone {
				l.lose(since, why)
			}
		case got := <-looks:
			if err := l.take(got); err != nil {
				return err
			}
			if got.err != nil {
				break
			}
			if n++; n == l.Most {
				return nil
			}
		}
		if l.screen && l.model.last != nil {
			l.draw()
		}
	}
}

// take shows what became of a look. The first one must succeed.
func (l *loop) take(got looked) error {
	switch {
	case got.err != nil && l.model.last == nil:
		return got.err
	case got.err != nil:
		l.lose(got.at, got.err)
		return nil
	}
	if l.model.trouble != "" && !l.screen {
		l.app.Notice("%s answers again", l.server.Where)
	}
	l.model.take(got.sample)
	if l.screen {
		return nil
	}
	return l.line(got.sample)
}

// lose notes that nothing newer is known. Where there is no screen it is told, once.
func (l *loop) lose(since time.Time, why error) {
	if l.model.trouble == "" && l.model.last != nil && !l.screen {
		l.app.Notice("%s", l.server.Silence(why))
	}
	l.model.lose(since, command.OneLine(why))
}

// look sends a look every while until ctx ends.
func (l *loop) look(ctx context.Context, to chan<- looked) {
	ticks := time.NewTicker(l.Every)
	defer ticks.Stop()
	for {
		asking, cancel := l.app.Bounded(ctx)
		at := l.app.World.Now()
		s, err := look(asking, l.server, at)
		cancel()
		select {
		case to <- looked{at, s, err}:
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
