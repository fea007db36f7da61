package kafkatools

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

func (t *groupsTool) runDelete(ctx context.Context) error {
	ids, err := t.groupIDs(ctx)
	if err != nil {
		return err
	}
	var deleted, failures []string
	for _, id := range ids {
		if err := t.c.deleteGroup(ctx, id); err != nil {
			failures = append(failures, "* Group '"+id+"' could not be deleted due to: "+wrapped(err))
			continue
		}
		deleted = append(deleted, "'"+id+"'")
	}
	if failures == nil {
		t.w.println("Deletion of requested consumer groups (" + strings.Join(deleted, ", ") + ") was successful.")
		return nil
	}
	t.printError("Deletion of some consumer groups failed:")
	for _, f := range failures {
		t.w.println(f)
	}
	if deleted != nil {
		t.w.println("\nThese consumer groups were deleted successfully: " + strings.Join(deleted, ", "))
	}
	return nil
}

func (c *client) deleteGroup(ctx context.Context, group string) error {
	req := kmsg.NewPtrDeleteGroupsRequest()
	req.Groups = []string{group}
	resp, err := ask[*kmsg.DeleteGroupsResponse](ctx, c, "deleteConsumerGroups", req)
	if err != nil || len(resp.Groups) != 1 {
		return err
	}
	return javaCode(resp.Groups[0].ErrorCode, nil)
}

// outcome is what became of a partition whose offset was to be deleted; partition -1 stands for a topic that is not there.
type outcome struct {
	tp  kafka.TopicPartition
	err error
}

func (t *groupsTool) runDeleteOffsets(ctx context.Context) error {
	group, err := t.set.Value(t.group)
	if err != nil {
		return err
	}
	var outcomes []outcome
	var partitions []kafka.TopicPartition
	for _, arg := range t.set.Values(t.topic) {
		var found []kafka.TopicPartition
		if strings.Contains(arg, ":") {
			if found, err = topicPartitions(arg); err != nil {
				return err
			}
		} else if found, _, err = t.c.partitionsOfTopics(ctx, []string{arg}); err != nil {
			outcomes = append(outcomes, outcome{kafka.TopicPartition{Topic: arg, Partition: -1}, err})
		}
		for _, tp := range found {
			if !slices.Contains(partitions, tp) {
				partitions = append(partitions, tp)
			}
		}
	}
	codes, all := t.c.deleteOffsets(ctx, group, partitions)
	for _, tp := range partitionOrder(partitions) {
		err := all
		if err == nil {
			err = codes[tp]
		}
		outcomes = append(outcomes, outcome{tp, err})
	}
	if all == nil {
		for _, tp := range partitionOrder(partitions) {
			all = cmp.Or(all, codes[tp])
		}
	}
	t.announceDeletion(group, all)
	t.printOutcomes(outcomes)
	return nil
}

// deleteOffsets returns the errors of partitions, or one for all.
func (c *client) deleteOffsets(ctx context.Context, group string, partitions []kafka.TopicPartition) (map[kafka.TopicPartition]error, error) {
	req := kmsg.NewPtrOffsetDeleteRequest()
	req.Group = group
	for _, tp := range partitions {
		i := slices.IndexFunc(req.Topics, func(t kmsg.OffsetDeleteRequestTopic) bool { return t.Topic == tp.Topic })
		if i < 0 {
			i = len(req.Topics)
			topic := kmsg.NewOffsetDeleteRequestTopic()
			topic.Topic = tp.Topic
			req.Topics = append(req.Topics, topic)
		}
		p := kmsg.NewOffsetDeleteRequestTopicPartition()
		p.Partition = tp.Partition
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, p)
	}
	resp, err := ask[*kmsg.OffsetDeleteResponse](ctx, c, "deleteConsumerGroupOffsets", req)
	if err == nil {
		err = javaCode(resp.ErrorCode, nil)
	}
	if err != nil {
		return nil, err
	}
	codes := map[kafka.TopicPartition]error{}
	for _, tp := range partitions {
		codes[tp] = argumentf("Offset deletion result for partition %q was not included in the response", tp)
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			codes[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = javaCode(p.ErrorCode, nil)
		}
	}
	return codes, nil
}

func (t *groupsTool) announceDeletion(group string, err error) {
	is := func(codes ...*kerr.Error) bool {
		return slices.ContainsFunc(codes, func(c *kerr.Error) bool { return isCode(err, c) })
	}
	switch {
	case err == nil:
		t.w.println("Request succeeded for deleting offsets from group " + group + ".")
	case is(kerr.InvalidGroupID, kerr.GroupIDNotFound, kerr.GroupAuthorizationFailed, kerr.NonEmptyGroup):
		t.printError(err.Error())
	case is(kerr.GroupSubscribedToTopic, kerr.TopicAuthorizationFailed, kerr.UnknownTopicOrPartition):
		t.printError("Encountered some partition-level error, see the follow-up details.")
	default:
		name := "UNKNOWN_SERVER_ERROR"
		if e, ok := err.(*javaError); ok {
			if known, ok := kerr.ErrorForCode(e.code).(*kerr.Error); ok {
				name = known.Message
			}
		}
		t.printError("Encountered some unknown error: " + name)
	}
}

func (t *groupsTool) printOutcomes(outcomes []outcome) {
	columns := []column{{"TOPIC", 15}, {"PARTITION", 10}, {"STATUS", 15}}
	for _, o := range outcomes {
		columns[0].fit(o.tp.Topic)
	}
	slices.SortStableFunc(outcomes, func(a, b outcome) int {
		return cmp.Compare(a.tp.Topic+strconv.Itoa(int(a.tp.Partition)), b.tp.Topic+strconv.Itoa(int(b.tp.Partition)))
	})
	t.w.printf("\n%s", rowOf(columns, headings(columns)))
	for _, o := range outcomes {
		partition, status := missing, "Successful"
		if o.tp.Partition >= 0 {
			partition = strconv.Itoa(int(o.tp.Partition))
		}
		if o.err != nil {
			status = "Error: " + wrapped(o.err)
		}
		t.w.printf("\n%s", rowOf(columns, []string{o.tp.Topic, partition, status}))
	}
	t.w.println()
}
