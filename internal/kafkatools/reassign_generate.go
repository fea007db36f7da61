package kafkatools

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

// runGenerate is --generate.
func (t *reassignTool) runGenerate(ctx context.Context) error {
	text, err := t.readFile(t.topics)
	if err != nil {
		return err
	}
	list, err := t.set.Value(t.brokers)
	if err != nil {
		return err
	}
	brokers, err := parseBrokers(list)
	if err != nil {
		return err
	}
	names, err := parseTopicsToMove(text)
	if err != nil {
		return err
	}
	topics, err := t.placed(ctx, names)
	if err != nil {
		return err
	}
	nodes, err := t.c.nodes(ctx)
	if err != nil {
		return inFuture(err)
	}
	before, err := t.current(ctx, replicasOfTopics(topics), nodes)
	if err != nil {
		return err
	}
	if nodes, err = candidates(nodes, brokers, !t.set.Has(t.noRacks)); err != nil {
		return err
	}
	proposed, err := propose(topics, nodes, rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
	if err != nil {
		return err
	}
	after, err := formatReassignments(proposed, nil)
	if err != nil {
		return err
	}
	t.w.printf("Current partition replica assignment\n%s\n\nProposed partition reassignment configuration\n%s\n", before, after)
	return nil
}

// current is a file of reassignments that leaves all as it is: with the directories of those replicas whose brokers can be asked.
func (t *reassignTool) current(ctx context.Context, all map[kafka.TopicPartition][]int32, nodes []clusterNode) (string, error) {
	there := map[replicaID]bool{}
	for tp, replicas := range all {
		for _, broker := range replicas {
			if slices.ContainsFunc(nodes, func(n clusterNode) bool { return n.id == broker }) {
				there[replicaID{tp, broker}] = true
			}
		}
	}
	dirs, err := dirsOf(ctx, t.c, there)
	if err != nil {
		return "", inFuture(err)
	}
	return formatReassignments(all, dirs)
}

// replicasOfTopics are the replicas of all partitions of topics.
func replicasOfTopics(topics []described) map[kafka.TopicPartition][]int32 {
	all := map[kafka.TopicPartition][]int32{}
	for _, d := range topics {
		for _, p := range d.partitions {
			all[kafka.TopicPartition{Topic: d.name, Partition: p.partition}] = p.replicas
		}
	}
	return all
}

// placed describes topics that must exist.
func (t *reassignTool) placed(ctx context.Context, topics []string) ([]described, error) {
	found, err := t.c.describeByMap(ctx, topics)
	if err != nil {
		return nil, err
	}
	for _, d := range found {
		if isCode(d.err, kerr.UnknownTopicOrPartition) {
			return nil, unknownPartition("Topic " + d.name + " not found.")
		}
		if d.err != nil {
			return nil, inFuture(d.err)
		}
	}
	return found, nil
}

func unknownPartition(message string) error {
	return inFuture(&javaError{class: "UnknownTopicOrPartitionException", message: message})
}
