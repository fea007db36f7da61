package kafkatools

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// describeTopics is --describe.
func (t *topicsTool) describeTopics(ctx context.Context) error {
	all, err := t.wanted(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	topics := make([]string, len(all))
	for i, d := range all {
		topics[i] = d.name
	}
	configs, err := t.c.topicConfigs(ctx, topics)
	if err != nil {
		return err
	}
	var alive []int32
	if t.set.Has(t.unavailable) {
		nodes, err := t.c.nodes(ctx)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			alive = append(alive, n.id)
		}
	}
	if err := t.c.addReassignments(ctx, all); err != nil {
		return err
	}
	narrow := t.set.Count(t.underReplicated, t.unavailable, t.underMin, t.atMin) > 0
	for _, d := range all {
		slices.SortFunc(d.partitions, func(a, b describedPartition) int { return cmp.Compare(a.partition, b.partition) })
		if !narrow {
			t.printTopic(d, configs[d.name])
		}
		if t.set.Has(t.overridden) {
			continue
		}
		for _, p := range d.partitions {
			if !narrow || t.shows(p, configs[d.name], alive) {
				t.printPartition(d.name, p)
			}
		}
	}
	return nil
}

// wanted are the topics that --topic or --topic-id name.
func (t *topicsTool) wanted(ctx context.Context) ([]described, error) {
	word, err := t.set.Value(t.id)
	if err != nil {
		return nil, err
	}
	if t.set.Has(t.id) {
		id, err := javaUUID(word)
		if err != nil {
			return nil, err
		}
		if !id.IsZero() {
			return t.wantedID(ctx, id)
		}
	}
	found, err := t.matching(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.mustExist(found); err != nil || len(found) == 0 {
		return nil, err
	}
	perAsk := int64(defaultPerAsk)
	if t.set.Has(t.perAsk) {
		if perAsk, err = t.set.Int(t.perAsk, 32); err != nil {
			return nil, err
		}
	}
	return t.c.describeByName(ctx, names(found), int32(perAsk))
}

func (t *topicsTool) wantedID(ctx context.Context, id kafka.UUID) ([]described, error) {
	all, err := t.c.topics(ctx)
	if err != nil {
		return nil, err
	}
	hidden := t.set.Has(t.noInternal)
	if slices.ContainsFunc(all, func(l listed) bool { return l.id == id && !(hidden && l.internal) }) {
		return t.c.describeByID(ctx, id)
	}
	if t.set.Has(t.ifExists) {
		return nil, nil
	}
	return nil, fmt.Errorf("TopicId '%s' does not exist as expected", id)
}

// factor is the number of replicas of a partition, with a reassignment as if it had ended.
func (p describedPartition) factor() int { return len(p.replicas) - len(p.adding) }

// shows reports whether one of the narrowing options wants the partition.
func (t *topicsTool) shows(p describedPartition, configs []configEntry, alive []int32) bool {
	least := 0
	for _, c := range configs {
		if c.name == "min.insync.replicas" {
			least, _ = strconv.Atoi(c.text()) // a server's own number
		}
	}
	leaderless := p.leader < 0
	return t.set.Has(t.underReplicated) && p.factor() > len(p.isr) ||
		t.set.Has(t.unavailable) && (leaderless || !slices.Contains(alive, p.leader)) ||
		t.set.Has(t.underMin) && (leaderless || len(p.isr) < least) ||
		t.set.Has(t.atMin) && len(p.isr) == least
}

func (t *topicsTool) printTopic(d described, configs []configEntry) {
	var words []string
	for _, c := range configs {
		if c.source != kmsg.ConfigSourceDefaultConfig {
			words = append(words, c.name+"="+c.text())
		}
	}
	if t.set.Has(t.overridden) && words == nil {
		return
	}
	t.w.printf("Topic: %s", d.name)
	if !d.id.IsZero() {
		t.w.printf("\tTopicId: %s", d.id)
	}
	factor := 0
	if len(d.partitions) > 0 {
		factor = d.partitions[0].factor()
	}
	t.w.printf("\tPartitionCount: %d\tReplicationFactor: %d\tConfigs: %s\n", len(d.partitions), factor, strings.Join(words, ","))
}

func (t *topicsTool) printPartition(topic string, p describedPartition) {
	leader := "none"
	if p.leader >= 0 {
		leader = strconv.Itoa(int(p.leader))
	}
	t.w.printf("\tTopic: %s\tPartition: %d\tLeader: %s\tReplicas: %s\tIsr: %s", topic, p.partition, leader, joinInts(p.replicas, ","), joinInts(p.isr, ","))
	if p.moving {
		t.w.printf("\tAdding Replicas: %s\tRemoving Replicas: %s", joinInts(p.adding, ","), joinInts(p.removing, ","))
	}
	t.w.printf("\tElr: %s\tLastKnownElr: %s\n", orNA(p.elr), orNA(p.lastKnownELR))
}

func orNA(nodes []int32) string {
	if nodes == nil {
		return "N/A"
	}
	return joinInts(nodes, ",")
}

// addReassignments marks the partitions that are moving; a server that knows of no reassignments moves none.
func (c *client) addReassignments(ctx context.Context, all []described) error {
	of := []kafka.TopicPartition{}
	for _, d := range all {
		for _, p := range d.partitions {
			of = append(of, kafka.TopicPartition{Topic: d.name, Partition: p.partition})
		}
	}
	reassigned, err := c.reassignments(ctx, of)
	if errors.Is(err, errNoSuchAPI) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, d := range all {
		for i := range d.partitions {
			p := &d.partitions[i]
			if r, moving := reassigned[kafka.TopicPartition{Topic: d.name, Partition: p.partition}]; moving {
				p.moving, p.adding, p.removing = true, r.adding, r.removing
			}
		}
	}
	return nil
}
