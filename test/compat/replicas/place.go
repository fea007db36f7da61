package replicas

import (
	"context"
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Placed is where the replicas of a partition are when all partitions of a topic have theirs on the same nodes: another one of them is the first
// for each partition.
func Placed(partition int32, ids ...int32) []int32 {
	at := int(partition) % len(ids)
	return slices.Concat(ids[at:], ids[:at])
}

// Move asks for all partitions of topics to have their replicas so, and does not wait until they are there.
func Move(ctx context.Context, admin *kadm.Client, topics []string, ids ...int32) error {
	details, err := admin.ListTopics(ctx, topics...)
	if err := errors.Join(err, details.Error()); err != nil {
		return err
	}
	var req kadm.AlterPartitionAssignmentsReq
	for _, t := range details {
		for p := range t.Partitions {
			req.Assign(t.Topic, p, Placed(p, ids...))
		}
	}
	answers, err := admin.AlterPartitionAssignments(ctx, req)
	return errors.Join(err, answers.Error())
}
