package scan

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"

	"github.com/ottla/ottla/internal/cli/command"
)

// place is where one fetch reads.
type place struct {
	command.PartitionKey
	topicID string
	leader  int32
	offset  int64
}

// fetchBytes bounds what one fetch brings; a batch that is larger comes whole.
const fetchBytes = 1 << 20

// fetch asks once, without waiting, for what stands at a place and behind it. next is the offset behind what was given, records or not.
func (w *Want) fetch(ctx context.Context, s *command.Server, at place) (kgo.FetchPartition, int64, error) {
	var none kgo.FetchPartition
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.MaxWaitMillis, req.MinBytes = fetchBytes, 0, 0
	req.SessionEpoch = -1
	if w.Committed {
		req.IsolationLevel = 1
	}
	id, err := kafka.ParseUUID(at.topicID)
	if err != nil {
		return none, 0, err
	}
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = at.Topic, id
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.PartitionMaxBytes, part.CurrentLeaderEpoch = at.Partition, at.offset, fetchBytes, -1
	topic.Partitions = append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	answer, err := s.Broker(int(at.leader)).RetriableRequest(ctx, req)
	if err != nil {
		return none, 0, err
	}
	resp := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return none, 0, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return none, 0, command.ErrNotMentioned
	}
	got := &resp.Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
		return none, 0, err
	}
	parsed, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true, Offset: at.offset, IsolationLevel: w.isolation(), Topic: at.Topic, Partition: at.Partition,
	}, got, kgo.DefaultDecompressor(), nil)
	return parsed, next, parsed.Err
}

// First finds the first record of a partition at offset or behind it. It gives nil where there is none yet.
func (w *Want) First(ctx context.Context, s *command.Server, key command.PartitionKey, offset int64) (*kgo.FetchPartition, *kgo.Record, error) {
	what := fmt.Sprintf("%s %s/%d@%d", w.Verb, key.Topic, key.Partition, offset)
	found, f, err := s.NamedTopics(ctx, w.Verb, []string{key.Topic})
	switch {
	case err != nil:
		return nil, nil, err
	case len(f.Errs) > 0:
		return nil, nil, f.Errs[0]
	case int(key.Partition) >= len(found[0].Partitions):
		return nil, nil, s.NoPartition(what, key.Partition, len(found[0].Partitions))
	}
	at := place{key, found[0].ID, found[0].Partitions[key.Partition].Leader, offset}
	if at.leader < 0 {
		return nil, nil, s.Failed(what, kerr.LeaderNotAvailable)
	}
	for {
		got, next, err := w.fetch(ctx, s, at)
		if err != nil {
			return nil, nil, s.Failed(what, err)
		}
		for _, r := range got.Records {
			if w.Control || !r.Attrs.IsControl() {
				return &got, r, nil
			}
		}
		if next <= at.offset {
			return nil, nil, nil
		}
		at.offset = next
	}
}
