package groups

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
)

func groupWatch(a *command.App) *cobra.Command {
	var names groupNames
	cmd := a.Watching(&cobra.Command{
		Use:   "watch NAME...",
		Short: "Show groups and their lag again and again, until Ctrl-C",
		Long: "Show groups, their members and their lag again and again, until Ctrl-C.\n\n" +
			"On a terminal the picture is renewed in place; elsewhere each look is a line of JSON for each group.",
		ValidArgsFunction: completeGroups(a),
	}, func(ctx context.Context, s *command.Server, args []string, l command.Looks) error {
		w := &watch{App: a, Looks: l, server: s, names: names, named: args}
		return w.run(ctx)
	})
	names.flags(cmd)
	return a.Prints(cmd, command.LinesOf[watched]())
}

// watch looks at groups again and again.
type watch struct {
	*command.App
	command.Looks
	server *command.Server
	names  groupNames
	named  []string
}

// run looks until ctx ends, which is success. The first look must find every group; after that, what fails is told and may heal.
func (w *watch) run(ctx context.Context) error {
	ticks := time.NewTicker(w.Every)
	defer ticks.Stop()
	for n := 1; ; n++ {
		err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case w.Out.Err() != nil:
			return w.Out.Err()
		case err != nil && n == 1:
			return err
		case err != nil:
			w.Notice("%s", command.OneLine(err))
		}
		if n == w.Most {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

// watched is a look at a group, as a line of JSON.
type watched struct {
	Time time.Time `json:"time"`
	groupDescription
}

func (w *watch) look(ctx context.Context) error {
	ctx, cancel := w.Bounded(ctx)
	defer cancel()
	names, err := w.names.find(ctx, w.server, w.named)
	if err != nil {
		return err
	}
	all, f := describeGroups(ctx, w.server, names)
	now := w.World.Now().UTC()
	if w.World.OutTTY && w.Output.Value == "table" {
		const home, clear = "\x1b[H", "\x1b[J"
		fmt.Fprintf(w.Out, "%s%s%s, every %v; Ctrl-C ends\n\n", home, clear, now.Format(time.RFC3339), w.Every)
		err = printGroups(w.App, all)
	} else {
		for _, d := range all {
			err = command.Encode(w.Out, watched{now, d})
		}
	}
	if err == nil {
		err = w.Out.Flush()
	}
	if err == nil {
		err = f.Or()
	}
	return err
}
