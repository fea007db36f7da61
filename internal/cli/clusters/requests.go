package clusters

import (
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/kafka"
)

// perRequest bounds how many partitions one request changes.
const perRequest = 1000

// targets are the replicas that partitions are to have; nil cancels the move that is under way.
type targets map[kafka.TopicPartition][]int32

// reassign asks for the replicas of partitions, which are in order, to be others. It returns the partitions of which that is accepted; the others
// are failures.
func reassign(ctx context.Context, a *command.App, s *command.Server, what string, all []kafka.TopicPartition, to targets, f *command.Failures) []kafka.TopicPartition {
	var accepted []kafka.TopicPartition
	for some := range slices.Chunk(all, perRequest) {
		answers, err := reassignSome(ctx, a, s, some, to)
		if err != nil {
			f.Add(s.Failed(what, err))
			break
		}
		for _, p := range some {
			err, answered := answers[p]
			if !answered {
				err = command.ErrNotMentioned
			}
			if err != nil {
				f.Add(s.Failed(fmt.Sprintf("%s %s", what, p), err))
				continue
			}
			accepted = append(accepted, p)
		}
	}
	f.Done += len(accepted)
	return accepted
}

func reassignSome(ctx context.Context, a *command.App, s *command.Server, some []kafka.TopicPartition, to targets) (map[kafka.TopicPartition]error, error) {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	for _, of := range byTopic(some) {
		t := kmsg.NewAlterPartitionAssignmentsRequestTopic()
		t.Topic = of[0].Topic
		for _, p := range of {
			one := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
			one.Partition, one.Replicas = p.Partition, to[p]
			t.Partitions = append(t.Partitions, one)
		}
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, s.Client)
	if err == nil {
		err = command.Answered(kerr.ErrorForCode(resp.ErrorCode), command.OrEmpty(resp.ErrorMessage))
	}
	if err != nil {
		return nil, err
	}
	answers := map[kafka.TopicPartition]error{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			answers[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = command.Answered(kerr.ErrorForCode(p.ErrorCode), command.OrEmpty(p.ErrorMessage))
		}
	}
	return answers, nil
}

// elect has the first replicas of partitions, which are in order, lead. What is refused is in the map; that one leads already is no refusal.
func elect(ctx context.Context, a *command.App, s *command.Server, all []kafka.TopicPartition) (map[kafka.TopicPartition]error, error) {
	refused := map[kafka.TopicPartition]error{}
	for some := range slices.Chunk(all, perRequest) {
		if err := electSome(ctx, a, s, some, refused); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

func electSome(ctx context.Context, a *command.App, s *command.Server, some []kafka.TopicPartition, refused map[kafka.TopicPartition]error) error {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	req := kmsg.NewPtrElectLeadersRequest()
	for _, of := range byTopic(some) {
		t := kmsg.NewElectLeadersRequestTopic()
		t.Topic, t.Partitions = of[0].Topic, numbers(of)
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, s.Client)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		return err
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil && p.ErrorCode != kerr.ElectionNotNeeded.Code {
				refused[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = command.Answered(err, command.OrEmpty(p.ErrorMessage))
			}
		}
	}
	return nil
}

// byTopic cuts partitions, which are in order, into those of a topic each.
func byTopic(all []kafka.TopicPartition) [][]kafka.TopicPartition {
	var topics [][]kafka.TopicPartition
	for i, p := range all {
		if i == 0 || all[i-1].Topic != p.Topic {
			topics = append(topics, nil)
		}
		last := &topics[len(topics)-1]
		*last = append(*last, p)
	}
	return topics
}

func numbers(of []kafka.TopicPartition) []int32 {
	var all []int32
	for _, p := range of {
		all = append(all, p.Partition)
	}
	return all
}
