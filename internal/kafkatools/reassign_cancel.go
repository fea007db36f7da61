package kafkatools

import (
	"context"

	"github.com/ottla/ottla/internal/kafka"
)

// runCancel is --cancel.
func (t *reassignTool) runCancel(ctx context.Context) error {
	text, err := t.readFile(t.file)
	if err != nil {
		return err
	}
	wait, err := t.wait()
	if err != nil {
		return err
	}
	f, err := parseReassignments(text)
	if err != nil {
		return err
	}
	if err := t.cancelPartitions(ctx, f.partitions); err != nil {
		return err
	}
	moves, err := t.moveStates(ctx, f.dirs)
	if err != nil {
		return err
	}
	back := map[replicaID]string{}
	for r, m := range moves {
		if m.current != "" && m.future != "" {
			back[r] = m.current
		}
	}
	if len(back) == 0 {
		t.w.printf("None of the specified partition moves are active.")
	}
	if err := t.moveAll(ctx, back, wait); err != nil || t.set.Has(t.keep) {
		return err
	}
	return t.clearThrottles(ctx, f.partitions)
}

// cancelPartitions takes back what is under way of partitions.
func (t *reassignTool) cancelPartitions(ctx context.Context, all []wanted) error {
	of := []kafka.TopicPartition{}
	for _, w := range all {
		if err := representable(w.TopicPartition); err != nil {
			return inFuture(err)
		}
		of = append(of, w.TopicPartition)
	}
	underWay, err := t.c.reassignments(ctx, distinct(of))
	if err != nil {
		return inFuture(err)
	}
	back := map[kafka.TopicPartition][]int32{}
	for tp := range underWay {
		back[tp] = nil
	}
	if len(back) == 0 {
		t.w.println("None of the specified partition reassignments are active.")
		return nil
	}
	if failed := t.c.reassign(ctx, back, true); len(failed) > 0 {
		return terseError("Error cancelling partition reassignment" + plural(len(failed)) + " for:\n" + failures(failed))
	}
	t.w.printf("Successfully cancelled partition reassignment%s for: %s\n", plural(len(back)), joinPartitions(sortedPartitions(back), ","))
	return nil
}
