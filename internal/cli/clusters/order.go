package clusters

import (
	"context"
	"fmt"
	"slices"

	"github.com/ottla/ottla/internal/cli/clusters/moves"
	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/kafka"
)

// order is a plan that somebody wants to be done.
type order struct {
	what   string // the verb, for errors
	plan   []moves.Move
	going  []moving // moves that are under way already and are waited for too
	danger command.Danger
	wait   bool
	// after, if set, is done when all is where it is to be, before the rows are printed.
	after func(context.Context) error
}

// carryOut shows the plan, asks, has it done and waits for it; then the first replicas are to lead.
func carryOut(ctx context.Context, a *command.App, s *command.Server, o order) error {
	f := &command.Failures{}
	rows := make([]moving, 0, len(o.plan)+len(o.going))
	to := targets{}
	var all []kafka.TopicPartition
	for _, m := range o.plan {
		rows = append(rows, toMoving(m))
		all = append(all, m.TopicPartition)
		to[m.TopicPartition] = m.To
	}
	if err := o.ask(ctx, a, s, rows, f); err != nil || o.danger.DryRun {
		return err
	}
	accepted := map[kafka.TopicPartition]bool{}
	for _, p := range reassign(ctx, a, s, "move", all, to, f) {
		accepted[p] = true
	}
	rows = append(slices.DeleteFunc(rows, func(m moving) bool { return !accepted[m.key()] }), o.going...)
	slices.SortFunc(rows, func(x, y moving) int { return byName(x.key(), y.key()) })
	f.Done += len(o.going)
	if o.wait {
		if err := follow(ctx, a, s, rows, f); err != nil {
			return err
		}
		lead(ctx, a, s, rows)
		if o.after != nil && len(f.Errs) == 0 {
			if err := o.after(ctx); err != nil {
				return err
			}
		}
	} else if len(rows) > 0 {
		a.Notice("`ottla cluster reassign --watch%s` waits for them", a.Again())
	}
	if err := printMoves(a, rows); err != nil {
		return err
	}
	return f.Or()
}

// ask shows what is to be done, or prints it where that is all that is wanted, and asks whether to go on.
func (o order) ask(ctx context.Context, a *command.App, s *command.Server, rows []moving, f *command.Failures) error {
	var lines []string
	for _, m := range o.plan {
		verb := "move"
		if len(m.Adding())+len(m.Removing()) == 0 {
			verb = "reorder"
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s to %s", verb, m.TopicPartition, command.IDs(m.Replicas), command.IDs(m.To)))
	}
	if o.danger.DryRun {
		return a.Planned(lines, f)
	}
	if len(rows) == 0 {
		return nil
	}
	// How much it is, is worth a look; where nobody tells, it is asked all the same.
	_ = weigh(ctx, a, s, rows)
	lines = append(shortened(lines), toCopy(rows))
	return a.Confirm(o.danger, lines)
}

// manyLines is how many lines of a plan a question shows.
const manyLines = 20

// shortened leaves out what nobody would read before answering.
func shortened(lines []string) []string {
	if len(lines) <= manyLines {
		return lines
	}
	return append(slices.Clone(lines[:manyLines]), fmt.Sprintf("… and %d more; --dry-run shows all", len(lines)-manyLines))
}

// toCopy says how much moves have to copy.
func toCopy(rows []moving) string {
	var replicas, bytes int64
	for _, row := range rows {
		replicas += int64(len(row.Adding))
		if row.Bytes != nil {
			bytes += *row.Bytes
		}
	}
	return fmt.Sprintf("%s to copy, %s", command.Count(replicas, "replica"), command.Size(bytes))
}

// lead has the first replicas lead. Where that can't be yet, the brokers see to it themselves within minutes.
func lead(ctx context.Context, a *command.App, s *command.Server, rows []moving) {
	var all []kafka.TopicPartition
	for _, row := range rows {
		if row.State == arrived {
			all = append(all, row.key())
		}
	}
	if len(all) == 0 {
		return
	}
	if _, err := elect(ctx, a, s, all); err != nil {
		a.Notice("the first replicas do not lead yet: %s", command.OneLine(err))
	}
}
