package clusters

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/clusters/moves"
	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/kafka"
)

// reassigning holds the flags of `ottla cluster reassign`.
type reassigning struct {
	brokers  []int32
	replicas int
	all      bool

	list, watch, cancel bool

	every  time.Duration
	noWait bool
	danger command.Danger

	wanted []wanted
}

func clusterReassign(a *command.App) *cobra.Command {
	r := &reassigning{danger: command.Danger{Does: "moves replicas"}}
	cmd := &cobra.Command{
		Use:   "reassign [TOPIC[/PARTITION]...]",
		Short: "Move the replicas of partitions to other brokers, and see to the moves under way",
		Long: "Move the replicas of partitions: to the brokers that --brokers names, or to all, and to as many as --replicas says. Those of a\n" +
			"partition are spread over racks, the brokers have equally many of them and of the preferred leaders, and as few as possible\n" +
			"move: what is spread evenly already stays. The command shows the moves, asks, and waits until the new replicas are in sync.\n\n" +
			"Ctrl-C ends the waiting, not the moves. --list shows those under way, --watch waits for them, --cancel takes them back: of the\n" +
			"partitions that are named, or of all.",
		Example: "  ottla cluster reassign orders --brokers 1,2,3\n" +
			"  ottla cluster reassign orders/0 orders/1 --brokers 4,5 --replicas 2 --dry-run\n" +
			"  ottla cluster reassign --all --yes\n" +
			"  ottla cluster reassign --list",
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.parse(a, args); err != nil {
				return err
			}
			return r.run(cmd.Context(), a)
		},
	}
	f := cmd.Flags()
	f.Int32SliceVar(&r.brokers, "brokers", nil, "the brokers that are to have the replicas, `ID,...` (default all that are up)")
	f.IntVarP(&r.replicas, "replicas", "r", 0, "replicas of each partition (default as many as it has)")
	f.BoolVar(&r.all, "all", false, "all partitions of all topics")
	f.BoolVar(&r.list, "list", false, "show the moves under way, how far they are and how long they will take yet")
	f.BoolVar(&r.watch, "watch", false, "wait for the moves under way")
	f.BoolVar(&r.cancel, "cancel", false, "take the moves under way back")
	f.DurationVarP(&r.every, "every", "e", time.Second, "with --list, how long to wait between the two looks that tell the time left; 0 is one look")
	f.BoolVar(&r.noWait, "no-wait", false, "begin the moves and do not wait for them")
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress and no summary on standard error")
	r.danger.Flags(f)
	command.CompleteFlag(cmd, "brokers", a.CompleteBrokers)
	return a.Prints(cmd, command.ListOf[moving]("MoveList", "moves"))
}

func (r *reassigning) parse(a *command.App, args []string) error {
	modes := 0
	for _, given := range []bool{r.list, r.watch, r.cancel} {
		if given {
			modes++
		}
	}
	switch {
	case modes > 1:
		return command.Usagef("want one of --list, --watch and --cancel at most")
	case modes > 0 && (len(r.brokers) > 0 || r.replicas != 0):
		return command.Usagef("--brokers and --replicas are for moves that begin")
	case r.all && len(args) > 0:
		return command.Usagef("want TOPIC or --all")
	case modes == 0 && !r.all && len(args) == 0:
		e := command.Usagef("want TOPIC or TOPIC/PARTITION")
		e.Hint = "--all is for all topics, --list shows the moves under way"
		return e
	case r.replicas < 0 || r.replicas > 1<<15-1:
		return command.Usagef("--replicas must be 1 or more")
	case r.every < 0:
		return command.Usagef("--every must not be negative")
	}
	var err error
	if r.wanted, err = parseWanted(args); err != nil {
		return err
	}
	if r.list || r.watch {
		return nil
	}
	return a.MayAsk(r.danger)
}

func (r *reassigning) run(ctx context.Context, a *command.App) error {
	s, err := a.Connect(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	l, err := bounded(ctx, a, func(ctx context.Context) (*layout, error) {
		l, err := lookAtLayout(ctx, s)
		if err == nil {
			err = l.missing(ctx, s, r.wanted)
		}
		return l, err
	})
	if err != nil {
		return err
	}
	f := &command.Failures{}
	rows := inFlight(l.flights, r.wanted)
	switch {
	case r.list:
		err = r.look(ctx, a, s, rows)
	case r.watch:
		f.Done = len(rows)
		err = follow(ctx, a, s, rows, f)
	case r.cancel:
		return takeBack(ctx, a, s, rows, r.danger)
	default:
		return r.begin(ctx, a, s, l)
	}
	if err != nil {
		return err
	}
	if err := printMoves(a, rows); err != nil {
		return err
	}
	return f.Or()
}

// look finds out how far moves are and, by another look, how long they take yet.
func (r *reassigning) look(ctx context.Context, a *command.App, s *command.Server, rows []moving) error {
	once := func() error {
		if err := weigh(ctx, a, s, rows); err != nil {
			return s.Failed("look at the replicas", err)
		}
		return nil
	}
	if len(rows) == 0 {
		return nil
	}
	if err := once(); err != nil || r.every == 0 {
		return err
	}
	before, at := append([]moving(nil), rows...), a.World.Now()
	timer := time.NewTimer(r.every)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	}
	if err := once(); err != nil {
		return err
	}
	for i := range rows {
		rows[i].rated(before[i], a.World.Now().Sub(at))
	}
	return nil
}

// takeBack cancels moves.
func takeBack(ctx context.Context, a *command.App, s *command.Server, rows []moving, d command.Danger) error {
	f := &command.Failures{}
	var lines []string
	var all []kafka.TopicPartition
	for _, row := range rows {
		all = append(all, row.key())
		lines = append(lines, fmt.Sprintf("cancel the move of %s: it stays on %s", row.key(), command.IDs(append(except(row.Replicas, row.Adding), row.Removing...))))
	}
	if d.DryRun {
		return a.Planned(lines, f)
	}
	if len(rows) > 0 {
		if err := a.Confirm(d, shortened(lines)); err != nil {
			return err
		}
	}
	done := map[kafka.TopicPartition]bool{}
	for _, p := range reassign(ctx, a, s, "cancel the move of", all, targets{}, f) {
		done[p] = true
	}
	var kept []moving
	for _, row := range rows {
		if done[row.key()] {
			row.State = cancelled
			kept = append(kept, row)
		}
	}
	if err := printMoves(a, kept); err != nil {
		return err
	}
	return f.Or()
}

// begin plans moves, asks, and begins them.
func (r *reassigning) begin(ctx context.Context, a *command.App, s *command.Server, l *layout) error {
	const what = "reassign"
	brokers, err := l.named(s, what, r.brokers)
	if err != nil {
		return err
	}
	var chosen, others []moves.Partition
	for _, p := range l.partitions {
		if selects(r.wanted, p.TopicPartition) {
			chosen = append(chosen, p)
		} else {
			others = append(others, p)
		}
	}
	plan, err := moves.Spread(withElsewhere(brokers, others), chosen, r.replicas)
	if err != nil {
		return unplanned(s, what, err, "--replicas asks for fewer, --brokers names more")
	}
	return carryOut(ctx, a, s, order{what: what, plan: plan, danger: r.danger, wait: !r.noWait})
}

// withElsewhere notes how many replicas brokers have of partitions that are not planned.
func withElsewhere(brokers []moves.Broker, others []moves.Partition) []moves.Broker {
	count := map[int32]int{}
	for _, p := range others {
		for _, r := range p.Replicas {
			count[r]++
		}
	}
	noted := append([]moves.Broker(nil), brokers...)
	for i := range noted {
		noted[i].Elsewhere = count[noted[i].ID]
	}
	return noted
}

// unplanned words why there is no plan.
func unplanned(s *command.Server, what string, err error, hint string) error {
	e := &command.Error{What: what, Where: s.Where, Err: err}
	var few *moves.TooFew
	if errors.As(err, &few) {
		e.Hint = hint
	}
	return e
}

// bounded asks something within the time that a request may take.
func bounded[T any](ctx context.Context, a *command.App, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	return ask(ctx)
}
