package kafkatools

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// reassignment is one that is under way. replicas are all that there are until it is done, with those that it adds.
type reassignment struct{ replicas, adding, removing []int32 }

// comparePartitions sorts by topic, then by number.
func comparePartitions(a, b kafka.TopicPartition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

// sortedPartitions are the keys of a map, sorted.
func sortedPartitions[V any](of map[kafka.TopicPartition]V) []kafka.TopicPartition {
	return slices.SortedFunc(maps.Keys(of), comparePartitions)
}

// topicGroup is a topic and some of its partitions.
type topicGroup struct {
	topic      string
	partitions []int32
}

// byTopic groups partitions, in the order in which the topics come first.
func byTopic(all []kafka.TopicPartition) []topicGroup {
	var topics []topicGroup
	at := map[string]int{}
	for _, tp := range all {
		i, known := at[tp.Topic]
		if !known {
			i = len(topics)
			at[tp.Topic] = i
			topics = append(topics, topicGroup{topic: tp.Topic})
		}
		topics[i].partitions = append(topics[i].partitions, tp.Partition)
	}
	return topics
}

// reassignments are the partitions that are being reassigned: those among of, or all when of is nil.
func (c *client) reassignments(ctx context.Context, of []kafka.TopicPartition) (map[kafka.TopicPartition]reassignment, error) {
	req := kmsg.NewPtrListPartitionReassignmentsRequest()
	req.TimeoutMillis = c.timeoutMillis()
	if of != nil {
		req.Topics = []kmsg.ListPartitionReassignmentsRequestTopic{}
	}
	for _, t := range byTopic(of) {
		topic := kmsg.NewListPartitionReassignmentsRequestTopic()
		topic.Topic, topic.Partitions = t.topic, t.partitions
		req.Topics = append(req.Topics, topic)
	}
	resp, err := ask[*kmsg.ListPartitionReassignmentsResponse](ctx, c, "listPartitionReassignments", req)
	if err == nil {
		err = javaCode(resp.ErrorCode, resp.ErrorMessage)
	}
	if err != nil {
		return nil, err
	}
	all := map[kafka.TopicPartition]reassignment{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			all[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = reassignment{p.Replicas, p.AddingReplicas, p.RemovingReplicas}
		}
	}
	return all, nil
}

// reassign asks for other replicas of partitions; without any, what is under way is cancelled. It returns why partitions were refused.
// Unless mayResize is set, a change of the number of replicas is refused.
func (c *client) reassign(ctx context.Context, to map[kafka.TopicPartition][]int32, mayResize bool) map[kafka.TopicPartition]error {
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	req.TimeoutMillis, req.AllowReplicationFactorChange = c.timeoutMillis(), mayResize
	partitions := sortedPartitions(to)
	for _, t := range byTopic(partitions) {
		topic := kmsg.NewAlterPartitionAssignmentsRequestTopic()
		topic.Topic = t.topic
		for _, p := range t.partitions {
			part := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
			part.Partition, part.Replicas = p, to[kafka.TopicPartition{Topic: t.topic, Partition: p}]
			topic.Partitions = append(topic.Partitions, part)
		}
		req.Topics = append(req.Topics, topic)
	}
	var resp *kmsg.AlterPartitionAssignmentsResponse
	var err error
	if !mayResize {
		err = c.refusesResize(ctx)
	}
	if err == nil {
		resp, err = ask[*kmsg.AlterPartitionAssignmentsResponse](ctx, c, "alterPartitionReassignments", req)
	}
	if err == nil {
		err = javaCode(resp.ErrorCode, resp.ErrorMessage)
	}
	failed := map[kafka.TopicPartition]error{}
	for _, tp := range partitions {
		failed[tp] = cmp.Or(err, fmt.Errorf("the answer does not mention %s", tp))
	}
	if err != nil {
		return failed
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			tp := kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}
			if failed[tp] = javaCode(p.ErrorCode, p.ErrorMessage); failed[tp] == nil {
				delete(failed, tp)
			}
		}
	}
	return failed
}

// refusesResize fails with a server that would change the number of replicas although it is asked not to (KIP-860).
func (c *client) refusesResize(ctx context.Context) error {
	resp, err := ask[*kmsg.ApiVersionsResponse](ctx, c, "apiVersions", apiVersionsRequest())
	if err != nil {
		return err
	}
	key := kmsg.NewPtrAlterPartitionAssignmentsRequest().Key()
	if slices.ContainsFunc(resp.ApiKeys, func(k kmsg.ApiVersionsResponseApiKey) bool { return k.ApiKey == key && k.MaxVersion == 0 }) {
		return javaCode(kerr.UnsupportedVersion.Code, kmsg.StringPtr("The broker does not support the AllowReplicationFactorChange option for the AlterPartitionReassignments API. Consider re-sending the request without the option or updating the server version"))
	}
	return nil
}

// errUnrepresentable is what Java's client says of a topic without a name.
var errUnrepresentable = &javaError{class: "InvalidTopicException", message: "The given topic name '' cannot be represented in a request.", code: kerr.InvalidTopicException.Code}

// representable refuses what Java's client can't ask for.
func representable(tp kafka.TopicPartition) error {
	switch {
	case tp.Topic == "":
		return errUnrepresentable
	case tp.Partition < 0:
		return &javaError{class: "InvalidTopicException", message: fmt.Sprintf("The given partition index %d is not valid.", tp.Partition), code: kerr.InvalidTopicException.Code}
	}
	return nil
}

// replicaID names the replica of a partition on a broker.
type replicaID struct {
	kafka.TopicPartition
	broker int32
}

// String is TopicPartitionReplica.toString of Java.
func (r replicaID) String() string { return fmt.Sprintf("%s-%d", r.TopicPartition, r.broker) }

// sortedReplicas are the keys of a map, sorted by broker, then by partition.
func sortedReplicas[V any](of map[replicaID]V) []replicaID {
	return slices.SortedFunc(maps.Keys(of), func(a, b replicaID) int {
		return cmp.Or(cmp.Compare(a.broker, b.broker), comparePartitions(a.TopicPartition, b.TopicPartition))
	})
}

// byBroker groups replicas, each group with its partitions sorted.
func byBroker[V any](of map[replicaID]V) map[int32][]kafka.TopicPartition {
	all := map[int32][]kafka.TopicPartition{}
	for _, r := range sortedReplicas(of) {
		all[r.broker] = append(all[r.broker], r.TopicPartition)
	}
	return all
}

// replicaDirs are the directories of a replica: where it is, and where it is being moved to. "" is none.
type replicaDirs struct{ current, future string }

// dirsOf asks brokers for the directories of replicas. One that a broker does not have is in none.
func dirsOf[V any](ctx context.Context, c *client, of map[replicaID]V) (map[replicaID]replicaDirs, error) {
	all := map[replicaID]replicaDirs{}
	for broker, partitions := range byBroker(of) {
		req := kmsg.NewPtrDescribeLogDirsRequest()
		for _, t := range byTopic(partitions) {
			topic := kmsg.NewDescribeLogDirsRequestTopic()
			topic.Topic, topic.Partitions = t.topic, t.partitions
			req.Topics = append(req.Topics, topic)
		}
		resp, err := askNode[*kmsg.DescribeLogDirsResponse](ctx, c, broker, "describeReplicaLogDirs", req)
		if err == nil {
			err = javaCode(resp.ErrorCode, nil)
		}
		if err != nil {
			return nil, err
		}
		for _, d := range resp.Dirs {
			for _, t := range d.Topics {
				for _, p := range t.Partitions {
					r := replicaID{kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}, broker}
					dirs := all[r]
					if p.IsFuture {
						dirs.future = d.Dir
					} else {
						dirs.current = d.Dir
					}
					all[r] = dirs
				}
			}
		}
	}
	return all, nil
}

// moveReplicas asks brokers to move replicas to directories, and returns the answer for each.
func (c *client) moveReplicas(ctx context.Context, to map[replicaID]string) map[replicaID]error {
	answers := map[replicaID]error{}
	for broker, partitions := range byBroker(to) {
		wanted := map[string][]kafka.TopicPartition{}
		for _, tp := range partitions {
			r := replicaID{tp, broker}
			answers[r] = fmt.Errorf("the answer does not mention %s", r)
			wanted[to[r]] = append(wanted[to[r]], tp)
		}
		req := kmsg.NewPtrAlterReplicaLogDirsRequest()
		for _, path := range sortedKeys(wanted) {
			dir := kmsg.NewAlterReplicaLogDirsRequestDir()
			dir.Dir = path
			for _, t := range byTopic(wanted[path]) {
				topic := kmsg.NewAlterReplicaLogDirsRequestDirTopic()
				topic.Topic, topic.Partitions = t.topic, t.partitions
				dir.Topics = append(dir.Topics, topic)
			}
			req.Dirs = append(req.Dirs, dir)
		}
		resp, err := askNode[*kmsg.AlterReplicaLogDirsResponse](ctx, c, broker, "alterReplicaLogDirs", req)
		if err != nil {
			for _, tp := range partitions {
				answers[replicaID{tp, broker}] = err
			}
			continue
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				r := replicaID{kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}, broker}
				if _, asked := answers[r]; asked {
					answers[r] = javaCode(p.ErrorCode, nil)
				}
			}
		}
	}
	return answers
}
