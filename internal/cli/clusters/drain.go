package clusters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/clusters/moves"
	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/kafka"
)

// yielded is a partition that another broker leads than before.
type yielded struct {
	Topic     string  `json:"topic"`
	Partition int32   `json:"partition"`
	Was       int32   `json:"was"`    // the leader before, -1 for none
	Leader    int32   `json:"leader"` // the leader now
	Replicas  []int32 `json:"replicas"`
}

func (y yielded) key() kafka.TopicPartition {
	return kafka.TopicPartition{Topic: y.Topic, Partition: y.Partition}
}

func clusterDrain(a *command.App) *cobra.Command {
	d := command.Danger{Does: "moves leaders"}
	cmd := &cobra.Command{
		Use:   "drain BROKER",
		Short: "Have other brokers lead what a broker leads, so that it can be stopped and nobody waits",
		Long: "Have other replicas lead what a broker leads, those in sync, evenly. The broker becomes the last replica of these partitions, so\n" +
			"that they are not given back; it keeps its replicas and goes on to follow. Then it can be stopped without anybody waiting.\n\n" +
			"The command shows what it will do and asks. It fails, and says why, where a partition has no other replica in sync, or would\n" +
			"have fewer than min.insync.replicas without the broker. When it is back, `ottla cluster reassign --all` has it lead its share.",
		Example:           "  ottla cluster drain 3 --dry-run\n  ottla cluster drain 3 --yes && systemctl stop ottla",
		Args:              command.Args(1, 1, "the id of a BROKER"),
		ValidArgsFunction: a.CompleteBrokers,
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseBroker(args[0])
			if err == nil {
				err = a.MayAsk(d)
			}
			if err != nil {
				return err
			}
			return drain(cmd.Context(), a, id, d)
		},
	}
	d.Flags(cmd.Flags())
	cmd.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "no summary on standard error")
	return a.Prints(cmd, command.ListOf[yielded]("DrainResult", "partitions"))
}

// parseBroker reads the id of a broker.
func parseBroker(arg string) (int32, error) {
	id, err := strconv.ParseInt(arg, 10, 32)
	if err != nil || id < 0 {
		e := command.Usagef("%q is not the id of a broker", arg)
		e.Hint = "`ottla cluster brokers` shows them"
		return 0, e
	}
	return int32(id), nil
}

func drain(ctx context.Context, a *command.App, id int32, d command.Danger) error {
	s, err := a.Connect(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	what := fmt.Sprintf("drain broker %d", id)
	f := &command.Failures{}
	plan, err := bounded(ctx, a, func(ctx context.Context) ([]moves.Move, error) { return planDrain(ctx, s, what, id, f) })
	if err != nil {
		return err
	}
	var lines []string
	for _, m := range plan {
		lines = append(lines, fmt.Sprintf("have %d lead %s: %s to %s", m.To[0], m.TopicPartition, command.IDs(m.Replicas), command.IDs(m.To)))
	}
	f.Done = len(plan)
	if d.DryRun {
		return a.Planned(lines, f)
	}
	if len(plan) > 0 {
		for _, err := range f.Errs {
			lines = append(lines, "but "+command.OneLine(err))
		}
		if err := a.Confirm(d, shortened(lines)); err != nil {
			return err
		}
	}
	f.Done = 0
	rows, err := handOver(ctx, a, s, what, plan, f)
	if err != nil {
		return err
	}
	if err := command.List(a, "DrainResult", "partitions", rows, yieldedColumns); err != nil {
		return err
	}
	if len(f.Errs) == 0 {
		a.Notice("broker %d leads nothing: it can be stopped, and nobody waits", id)
	}
	return f.Or()
}

// planDrain finds out what a broker leads, and who could. What stands against stopping it is among the failures.
func planDrain(ctx context.Context, s *command.Server, what string, id int32, f *command.Failures) ([]moves.Move, error) {
	l, err := lookAtLayout(ctx, s)
	if err != nil {
		return nil, err
	}
	if !l.isUp(id) {
		return nil, noBroker(s, what, id)
	}
	least, err := leastInSync(ctx, s, l.meta)
	if err != nil {
		return nil, s.Failed("ask for min.insync.replicas", err)
	}
	fail := func(p kafka.TopicPartition, hint, format string, args ...any) {
		f.Add(&command.Error{What: what, Where: s.Where, Err: fmt.Errorf("%s "+format, append([]any{p}, args...)...), Hint: hint})
	}
	var settled []moves.Partition
	for _, p := range l.partitions {
		if _, under := l.flights[p.TopicPartition]; under && (p.Leader == id || p.Replicas[0] == id) {
			fail(p.TopicPartition, "`ottla cluster reassign --watch` waits for that", "is just being moved")
			continue
		}
		settled = append(settled, p)
	}
	plan, stuck := moves.Yield(l.up, settled, id)
	for _, p := range stuck {
		fail(p.TopicPartition, "`ottla cluster reassign` gives it another replica, `ottla cluster decommission` moves this one", "has no other replica in sync")
	}
	for _, p := range l.partitions {
		if left := len(except(p.ISR, []int32{id})); slices.Contains(p.ISR, id) && left > 0 && left < least[p.Topic] {
			fail(p.TopicPartition, "acks=all is refused without the broker", "has %d in sync without it, and min.insync.replicas is %d", left, least[p.Topic])
		}
	}
	return plan, nil
}

// handOver makes the broker the last replica of its partitions, has the first ones lead, and waits until clients are told so.
func handOver(ctx context.Context, a *command.App, s *command.Server, what string, plan []moves.Move, f *command.Failures) ([]yielded, error) {
	to := targets{}
	var changed, all []kafka.TopicPartition
	for _, m := range plan {
		if to[m.TopicPartition] = m.To; !slices.Equal(m.To, m.Replicas) {
			changed = append(changed, m.TopicPartition)
		}
	}
	ready := map[kafka.TopicPartition]bool{}
	for _, p := range reassign(ctx, a, s, what+":", changed, to, f) {
		ready[p] = true
	}
	f.Done = 0
	var rows []yielded
	for _, m := range plan {
		if ready[m.TopicPartition] || !slices.Contains(changed, m.TopicPartition) {
			all = append(all, m.TopicPartition)
			rows = append(rows, yielded{Topic: m.Topic, Partition: m.Partition.Partition, Was: m.Leader, Leader: m.To[0], Replicas: m.To})
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	refused, err := elect(ctx, a, s, all)
	if err != nil {
		return nil, s.Failed(what, err)
	}
	for _, p := range all {
		if err := refused[p]; err != nil {
			f.Add(s.Failed(fmt.Sprintf("%s: %s", what, p), err))
		}
	}
	rows = slices.DeleteFunc(rows, func(y yielded) bool { return refused[y.key()] != nil })
	f.Done = len(rows)
	return rows, told(ctx, s, rows)
}

// told waits until brokers tell clients of the new leaders.
func told(ctx context.Context, s *command.Server, rows []yielded) error {
	var names []string
	for _, row := range rows {
		names = append(names, row.Topic)
	}
	names = slices.Compact(names)
	var last []string
	err := command.Until(ctx, firstLook, staleFor, func(ctx context.Context) (bool, error) {
		topics, err := s.Topics(ctx, names...)
		if err != nil {
			return false, err
		}
		last = nil
		leaders := leadersOf(topics)
		for _, row := range rows {
			if leaders[row.key()] == row.Was && row.Was != row.Leader {
				last = append(last, row.key().String())
			}
		}
		return len(last) == 0, nil
	})
	if err == nil && len(last) > 0 {
		err = errors.New("still led by the broker: " + strings.Join(last[:min(len(last), manyPlaces)], ", "))
	}
	if err != nil {
		return s.Failed("look at the leaders", err)
	}
	return nil
}

// leadersOf are the leaders of partitions.
func leadersOf(topics []command.Topic) map[kafka.TopicPartition]int32 {
	leaders := map[kafka.TopicPartition]int32{}
	for _, t := range topics {
		for _, p := range t.Partitions {
			leaders[kafka.TopicPartition{Topic: t.Name, Partition: p.Partition}] = p.Leader
		}
	}
	return leaders
}

var yieldedColumns = []command.Column[yielded]{
	{Name: "TOPIC", Value: func(y yielded) string { return y.Topic }},
	{Name: "PARTITION", Value: func(y yielded) string { return strconv.Itoa(int(y.Partition)) }, Number: true},
	{Name: "WAS", Value: func(y yielded) string { return command.OrDash(y.Was >= 0, int64(y.Was)) }, Number: true},
	{Name: "LEADER", Value: func(y yielded) string { return strconv.Itoa(int(y.Leader)) }, Number: true},
	{Name: "REPLICAS", Value: func(y yielded) string { return command.IDs(y.Replicas) }},
}
