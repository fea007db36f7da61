package kafkatools

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// planned is the new offset of a partition.
type planned struct {
	tp     kafka.TopicPartition
	offset int64
}

// groupPlan is what a reset does to a group.
type groupPlan struct {
	group string
	rows  []planned
}

func (t *groupsTool) runReset(ctx context.Context) error {
	ids, err := t.groupIDs(ctx)
	if err != nil {
		return err
	}
	var plans []groupPlan
	for _, id := range ids {
		g, err := t.c.describeGroup(ctx, id)
		missing := isCode(err, kerr.GroupIDNotFound)
		if err != nil && !missing {
			return errors.New(wrapped(&futureError{err}))
		}
		if !missing && g.state != groupEmpty && g.state != groupDead {
			t.printError(fmt.Sprintf("Assignments can only be reset if the group '%s' is inactive, but the current state is %s.", id, g.state))
			plans = append(plans, groupPlan{group: id})
			continue
		}
		rows, err := t.resetGroup(ctx, id)
		if err != nil {
			return err
		}
		plans = append(plans, groupPlan{id, rows})
	}
	if t.set.Has(t.export) {
		t.w.println(exportPlans(plans, len(t.set.Values(t.group)) == 1))
		return nil
	}
	printPlans(t.w, plans)
	return nil
}

// resetGroup plans the reset of a group, and does it if that is asked for.
func (t *groupsTool) resetGroup(ctx context.Context, group string) ([]planned, error) {
	partitions, err := t.resetScope(ctx, group)
	if err != nil {
		return nil, err
	}
	if err := t.checkPartitions(ctx, partitions); err != nil {
		return nil, err
	}
	rows, err := t.plan(ctx, group, partitions)
	if err != nil {
		return nil, err
	}
	rows = java.HashOrder(rows, func(r planned) int32 { return java.HashPartition(r.tp.Topic, r.tp.Partition) })
	if t.set.Has(t.execute) {
		return rows, t.c.commit(ctx, group, rows)
	}
	return rows, nil
}

// resetScope are the partitions that the command line means.
func (t *groupsTool) resetScope(ctx context.Context, group string) ([]kafka.TopicPartition, error) {
	switch {
	case t.set.Has(t.allTopics):
		_, order, err := t.c.committed(ctx, group)
		if err != nil {
			return nil, errors.New(wrapped(&futureError{err}))
		}
		return order, nil
	case t.set.Has(t.topic):
		var some []kafka.TopicPartition
		var topics []string
		for _, arg := range t.set.Values(t.topic) {
			if !strings.Contains(arg, ":") {
				topics = append(topics, arg)
				continue
			}
			found, err := topicPartitions(arg)
			if err != nil {
				return nil, err
			}
			some = append(some, found...)
		}
		all, _, err := t.c.partitionsOfTopics(ctx, topics)
		return append(some, all...), err
	case t.set.Has(t.fromFile):
		return nil, nil
	}
	return nil, jopt.Error("One of the reset scopes should be defined: --all-topics, --topic.")
}

// topicPartitions reads topic:0,1,2.
func topicPartitions(arg string) ([]kafka.TopicPartition, error) {
	parts := strings.Split(arg, ":")
	if len(parts) != 2 || parts[1] == "" {
		return nil, argumentf("Invalid topic arg '%s', expected topic name and partitions", arg)
	}
	var all []kafka.TopicPartition
	for word := range strings.SplitSeq(parts[1], ",") {
		n, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			return nil, argumentf("Invalid partition '%s' specified in topic arg '%s''", word, arg)
		}
		all = append(all, kafka.TopicPartition{Topic: parts[0], Partition: int32(n)})
	}
	return all, nil
}

// checkPartitions wants all partitions to be there and to have a leader.
func (t *groupsTool) checkPartitions(ctx context.Context, partitions []kafka.TopicPartition) error {
	var topics []string
	for _, tp := range partitions {
		topics = append(topics, tp.Topic)
	}
	there, leaderless, err := t.c.partitionsOfTopics(ctx, topics)
	if err != nil {
		return errors.New(wrapped(&futureError{err}))
	}
	var gone, idle []string
	for _, tp := range partitions {
		switch {
		case !slices.Contains(there, tp):
			gone = append(gone, tp.String())
		case leaderless[tp]:
			idle = append(idle, tp.String())
		}
	}
	switch {
	case gone != nil:
		return fmt.Errorf("The partitions \"%s\" do not exist", strings.Join(gone, ","))
	case idle != nil:
		return fmt.Errorf("The partitions \"%s\" have no leader", strings.Join(idle, ","))
	}
	return nil
}

// plan finds the new offsets.
func (t *groupsTool) plan(ctx context.Context, group string, partitions []kafka.TopicPartition) ([]planned, error) {
	switch {
	case t.set.Has(t.toOffset):
		offset, err := t.set.Int(t.toOffset, 64)
		if err != nil {
			return nil, err
		}
		return t.within(ctx, plannedAt(partitions, func(kafka.TopicPartition) int64 { return offset }))
	case t.set.Has(t.toEarliest):
		return t.atEnd(ctx, partitions, earliest)
	case t.set.Has(t.toLatest):
		return t.atEnd(ctx, partitions, latest)
	case t.set.Has(t.shiftBy):
		return t.planShift(ctx, group, partitions)
	case t.set.Has(t.toDatetime):
		text, err := t.set.Value(t.toDatetime)
		if err != nil {
			return nil, err
		}
		at, err := java.ParseDateTime(text)
		if err != nil {
			return nil, fmt.Errorf("java.text.ParseException: %w", err)
		}
		return t.atTime(ctx, partitions, at.UnixMilli())
	case t.set.Has(t.byDuration):
		text, err := t.set.Value(t.byDuration)
		if err != nil {
			return nil, err
		}
		back, err := java.ParseDuration(text)
		if err != nil {
			return nil, err
		}
		return t.atTime(ctx, partitions, t.w.Now().Add(-back).UnixMilli())
	case t.set.Has(t.fromFile):
		return t.planFromFile(ctx, group)
	case t.set.Has(t.toCurrent):
		return t.planCurrent(ctx, group, partitions)
	}
	var names []string
	for _, o := range t.scenarios {
		names = append(names, o.String())
	}
	return nil, jopt.Error(fmt.Sprintf("Option '%s' requires one of the following scenarios: %s", t.reset, strings.Join(names, ", ")))
}

func plannedAt(partitions []kafka.TopicPartition, offset func(kafka.TopicPartition) int64) []planned {
	rows := make([]planned, len(partitions))
	for i, tp := range partitions {
		rows[i] = planned{tp, offset(tp)}
	}
	return rows
}

func (t *groupsTool) offsetsAt(ctx context.Context, partitions []kafka.TopicPartition, timestamp int64) (map[kafka.TopicPartition]int64, error) {
	found, err := t.c.everyOffset(ctx, partitions, timestamp)
	if err != nil {
		return nil, errors.New(wrapped(&futureError{err}))
	}
	return found, nil
}

func (t *groupsTool) atEnd(ctx context.Context, partitions []kafka.TopicPartition, end int64) ([]planned, error) {
	found, err := t.offsetsAt(ctx, partitions, end)
	return plannedAt(partitions, func(tp kafka.TopicPartition) int64 { return found[tp] }), err
}

// atTime takes the end of a log that has nothing from the time on.
func (t *groupsTool) atTime(ctx context.Context, partitions []kafka.TopicPartition, timestamp int64) ([]planned, error) {
	found, err := t.offsetsAt(ctx, partitions, timestamp)
	if err != nil {
		return nil, err
	}
	var without []kafka.TopicPartition
	for _, tp := range partitionOrder(partitions) {
		if found[tp] < 0 {
			without = append(without, tp)
			t.w.printf("\nWarn: Partition %d from topic %s is empty. Falling back to latest known offset.\n", tp.Partition, tp.Topic)
		}
	}
	ends, err := t.offsetsAt(ctx, without, latest)
	return plannedAt(partitions, func(tp kafka.TopicPartition) int64 {
		if end, ok := ends[tp]; ok {
			return end
		}
		return found[tp]
	}), err
}

func (t *groupsTool) planShift(ctx context.Context, group string, partitions []kafka.TopicPartition) ([]planned, error) {
	by, err := t.set.Int(t.shiftBy, 64)
	if err != nil {
		return nil, err
	}
	current, _, err := t.c.committed(ctx, group)
	if err != nil {
		return nil, errors.New(wrapped(&futureError{err}))
	}
	for _, tp := range partitions {
		if _, ok := current[tp]; !ok {
			return nil, argumentf("Cannot shift offset for partition %s since there is no current committed offset", tp)
		}
	}
	return t.within(ctx, plannedAt(partitions, func(tp kafka.TopicPartition) int64 { return current[tp].offset + by }))
}

func (t *groupsTool) planCurrent(ctx context.Context, group string, partitions []kafka.TopicPartition) ([]planned, error) {
	current, _, err := t.c.committed(ctx, group)
	if err != nil {
		return nil, errors.New(wrapped(&futureError{err}))
	}
	with := slices.DeleteFunc(slices.Clone(partitions), func(tp kafka.TopicPartition) bool { _, ok := current[tp]; return !ok })
	without := slices.DeleteFunc(slices.Clone(partitions), func(tp kafka.TopicPartition) bool { _, ok := current[tp]; return ok })
	ends, err := t.atEnd(ctx, without, latest)
	return append(plannedAt(with, func(tp kafka.TopicPartition) int64 { return current[tp].offset }), ends...), err
}

// within moves offsets that a log does not have to its nearer end.
func (t *groupsTool) within(ctx context.Context, rows []planned) ([]planned, error) {
	var partitions []kafka.TopicPartition
	for _, r := range rows {
		partitions = append(partitions, r.tp)
	}
	starts, err := t.offsetsAt(ctx, partitions, earliest)
	if err != nil {
		return nil, err
	}
	ends, err := t.offsetsAt(ctx, partitions, latest)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		if bounded := max(min(r.offset, ends[r.tp]), starts[r.tp]); bounded != r.offset {
			t.w.errorln(fmt.Sprintf("WARN: %s has no offset %d: %d is taken", r.tp, r.offset, bounded))
			rows[i].offset = bounded
		}
	}
	return rows, nil
}

func (t *groupsTool) planFromFile(ctx context.Context, group string) ([]planned, error) {
	file, err := t.set.Value(t.fromFile)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("java.io.IOException: Unable to read file %s", file)
	}
	only := ""
	if groups := t.set.Values(t.group); len(groups) == 1 {
		only = groups[0]
	}
	plan, err := parsePlan(string(text), only)
	if err != nil {
		return nil, err
	}
	rows, ok := plan[group]
	if !ok {
		t.printError("No reset plan for group " + group + " found")
		return nil, nil
	}
	return t.within(ctx, rows)
}

// parsePlan reads what --export wrote: topic,partition,offset for a single group, else with the group before them.
func parsePlan(text, only string) (map[string][]planned, error) {
	plan := map[string][]planned{}
	short := only != ""
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		fields, err := csv.NewReader(strings.NewReader(line)).Read()
		if err != nil {
			return nil, fmt.Errorf("line %d of the plan: %w", i+1, err)
		}
		if i == 0 {
			short = short && len(fields) <= 3
		}
		if short {
			fields = append([]string{only}, fields...)
		}
		if len(fields) != 4 {
			return nil, fmt.Errorf("line %d of the plan has %d fields", i+1, len(fields))
		}
		partition, perr := strconv.ParseInt(strings.TrimSpace(fields[2]), 10, 32)
		offset, oerr := strconv.ParseInt(strings.TrimSpace(fields[3]), 10, 64)
		if err := errors.Join(perr, oerr); err != nil {
			return nil, fmt.Errorf("line %d of the plan: %w", i+1, err)
		}
		tp := kafka.TopicPartition{Topic: fields[1], Partition: int32(partition)}
		rows := slices.DeleteFunc(plan[fields[0]], func(r planned) bool { return r.tp == tp })
		plan[fields[0]] = append(rows, planned{tp, offset})
	}
	return plan, nil
}

// exportPlans is the plan as CSV, a line for each partition.
func exportPlans(plans []groupPlan, single bool) string {
	var b strings.Builder
	for _, p := range plans {
		for _, r := range p.rows {
			if !single {
				b.WriteString(csvField(p.group) + ",")
			}
			fmt.Fprintf(&b, "%s,%d,%d\n", csvField(r.tp.Topic), r.tp.Partition, r.offset)
		}
	}
	return b.String()
}

// looseCheck is the length in characters from which on the CSV writer of Apache's tools quotes a text without looking at it.
const looseCheck = 24

// csvField quotes where Apache's tools do.
func csvField(s string) string {
	if javaLen(s) <= looseCheck && !strings.ContainsFunc(s, func(r rune) bool { return r < '-' }) {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

func printPlans(w *World, plans []groupPlan) {
	columns := []column{{"GROUP", 15}, {"TOPIC", 15}, {"PARTITION", 10}, {"NEW-OFFSET", 0}}
	for _, p := range plans {
		columns[0].fit(p.group)
		for _, r := range p.rows {
			columns[1].fit(r.tp.Topic)
		}
	}
	if plans != nil {
		w.printf("\n%s", rowOf(columns, headings(columns)))
	}
	for _, p := range plans {
		for _, r := range p.rows {
			cells := []string{p.group, r.tp.Topic, strconv.Itoa(int(r.tp.Partition)), strconv.FormatInt(r.offset, 10)}
			w.printf("\n%s", rowOf(columns, cells))
		}
	}
	w.println()
}

// commit sets the offsets of a group without members.
func (c *client) commit(ctx context.Context, group string, rows []planned) error {
	offsets := kadm.Offsets{}
	for _, r := range rows {
		offsets.AddOffset(r.tp.Topic, r.tp.Partition, r.offset, -1)
	}
	ctx, cancel := context.WithTimeout(ctx, c.api)
	defer cancel()
	answers, err := kadm.NewClient(c.Client).CommitOffsets(ctx, group, offsets)
	if err != nil {
		return c.failed("offsetCommit", kmsg.NewPtrOffsetCommitRequest(), err)
	}
	var failed []kafka.TopicPartition
	codes := map[kafka.TopicPartition]int16{}
	for _, a := range answers.Sorted() {
		if code, ok := a.Err.(*kerr.Error); ok {
			tp := kafka.TopicPartition{Topic: a.Topic, Partition: a.Partition}
			failed, codes[tp] = append(failed, tp), code.Code
		}
	}
	if failed == nil {
		return nil
	}
	failed = partitionOrder(failed)
	var names []string
	for _, tp := range failed {
		names = append(names, tp.String())
	}
	message := "Failed altering group offsets for the following partitions: [" + strings.Join(names, ", ") + "]"
	return javaCode(codes[failed[0]], &message)
}
