package kafkatools

import (
	"context"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
)

// runVerify is --verify.
func (t *reassignTool) runVerify(ctx context.Context) error {
	f, err := t.readReassignments()
	if err != nil {
		return err
	}
	underWay, err := t.c.reassignments(ctx, nil)
	if err != nil {
		return inFuture(err)
	}
	states, err := t.partitionStates(ctx, f.partitions, underWay)
	if err != nil {
		return err
	}
	lines := []string{"Status of partition reassignment:"}
	for _, tp := range sortedPartitions(states) {
		lines = append(lines, states[tp].line(tp))
	}
	t.w.println(strings.Join(lines, "\n"))
	moves, err := t.moveStates(ctx, f.dirs)
	if err != nil {
		return err
	}
	lines = nil
	done := len(underWay) == 0
	for _, r := range sortedReplicas(moves) {
		lines, done = append(lines, moves[r].line(r)), done && moves[r].done()
	}
	t.w.println(strings.Join(lines, "\n"))
	if !done || t.set.Has(t.keep) {
		return nil
	}
	return t.clearThrottles(ctx, f.partitions)
}

// partitionStates are the states of the partitions of a file.
func (t *reassignTool) partitionStates(ctx context.Context, all []wanted, underWay map[kafka.TopicPartition]reassignment) (map[kafka.TopicPartition]partitionState, error) {
	var topics []string
	for _, w := range all {
		if _, moving := underWay[w.TopicPartition]; !moving {
			topics = append(topics, w.Topic)
		}
	}
	found, err := t.c.describeByMap(ctx, topics)
	if err != nil {
		return nil, err
	}
	byName := map[string]described{}
	for _, d := range found {
		byName[d.name] = d
	}
	states := map[kafka.TopicPartition]partitionState{}
	for _, w := range all {
		if r, moving := underWay[w.TopicPartition]; moving {
			states[w.TopicPartition] = partitionState{current: r.replicas, target: w.replicas}
		} else if states[w.TopicPartition], err = stateOf(w, byName[w.Topic]); err != nil {
			return nil, err
		}
	}
	return states, nil
}

// moveStates are the states of the replicas for which a file names directories.
func (t *reassignTool) moveStates(ctx context.Context, dirs map[replicaID]string) (map[replicaID]moveState, error) {
	found, err := dirsOf(ctx, t.c, dirs)
	if err != nil {
		return nil, inFuture(err)
	}
	states := map[replicaID]moveState{}
	for r, target := range dirs {
		states[r] = moveState{found[r], target}
	}
	return states, nil
}

// clearThrottles takes away all throttles of the topics of a file, and of all brokers.
func (t *reassignTool) clearThrottles(ctx context.Context, all []wanted) error {
	nodes, err := t.c.nodes(ctx)
	if err != nil {
		return inFuture(err)
	}
	var brokers []int32
	for _, n := range nodes {
		brokers = append(brokers, n.id)
	}
	var topics []string
	for _, w := range all {
		brokers, topics = append(brokers, w.replicas...), append(topics, w.Topic)
	}
	brokers, topics = java.HashOrder(distinct(brokers), java.HashInt), java.StringOrder(distinct(topics))
	t.w.printf("Clearing broker-level throttles on broker%s %s\n", plural(len(brokers)), joinInts(brokers, ","))
	if err := t.c.alterBrokers(ctx, brokers, alteration{key: leaderRate}, alteration{key: followerRate}, alteration{key: dirsRate}); err != nil {
		return inFuture(err)
	}
	t.w.printf("Clearing topic-level throttles on topic%s %s\n", plural(len(topics)), strings.Join(topics, ","))
	var changes []altered
	for _, topic := range topics {
		changes = append(changes, altered{resource{kmsg.ConfigResourceTypeTopic, topic}, []alteration{{key: leaderReplicas}, {key: followerReplicas}}})
	}
	return inFuture(t.c.alterConfigs(ctx, changes...))
}

// plural ends a word of which there are n.
func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
