package groups

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"

	"github.com/ottla/ottla/internal/cli/command"
)

// groupPartition is a partition that a group has committed an offset for, or that is assigned to a member.
type groupPartition struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Committed *int64 `json:"committed"` // the next offset to be consumed; nil: none
	Start     *int64 `json:"logStartOffset"`
	End       *int64 `json:"highWatermark"`
	// Lag is in records; an upper bound unless LagExact.
	Lag        *int64   `json:"lag"`
	LagExact   bool     `json:"lagExact"`
	LagSeconds *float64 `json:"lagSeconds"` // nil: the server does not tell
	// Unread and UnreadTime are the first record that is not consumed, where the server tells: its offset and its timestamp in ms.
	Unread     *int64 `json:"firstUnread,omitempty"`
	UnreadTime *int64 `json:"firstUnreadTimestamp,omitempty"`
	Metadata   string `json:"metadata,omitempty"`
	Member     string `json:"memberId,omitempty"`
	Client     string `json:"clientId,omitempty"`
	Host       string `json:"host,omitempty"`
	Note       string `json:"note,omitempty"`
	Error      string `json:"error,omitempty"`

	topicID kafka.TopicID
}

// askLag fills in the ends of partitions and how far what is committed is behind.
//
// An Ottla says it all in its answer to one ListOffsets, where that asks by a tagged field. Of another server the records are
// reckoned from the offsets, and the time is not known.
func askLag(ctx context.Context, s *command.Server, rows []groupPartition) error {
	if len(rows) == 0 {
		return nil
	}
	answers, err := listOffsets(ctx, s, rows, -1)
	if err != nil {
		return err
	}
	var starts map[command.PartitionKey]kmsg.ListOffsetsResponseTopicPartition
	for i := range rows {
		row := &rows[i]
		key := command.PartitionKey{Topic: row.Topic, Partition: row.Partition}
		answer, ok := answers[key]
		if k := kerr.TypedErrorForCode(answer.ErrorCode); !ok || k != nil {
			row.Error = command.ErrNotMentioned.Error()
			if k != nil {
				row.Error = k.Message
			}
			continue
		}
		row.End = &answer.Offset
		if row.Committed == nil {
			continue
		}
		if lag, ok := lagOf(answer); ok {
			row.take(lag)
			continue
		}
		if starts == nil {
			if starts, err = listOffsets(ctx, s, rows, -2); err != nil {
				return err
			}
		}
		row.reckon(starts[key].Offset)
	}
	return nil
}

// listOffsets asks the leaders of partitions for an offset, and how far behind what is committed is.
func listOffsets(ctx context.Context, s *command.Server, rows []groupPartition, timestamp int64) (map[command.PartitionKey]kmsg.ListOffsetsResponseTopicPartition, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	for _, row := range rows {
		i := slices.IndexFunc(req.Topics, func(t kmsg.ListOffsetsRequestTopic) bool { return t.Topic == row.Topic })
		if i < 0 {
			i = len(req.Topics)
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = row.Topic
			req.Topics = append(req.Topics, t)
		}
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = row.Partition, timestamp
		if timestamp == -1 && row.Committed != nil {
			p.UnknownTags.Set(kafka.LagTag, kafka.LagQuestion{Topic: row.topicID, Committed: kafka.Offset(*row.Committed)}.Append(nil))
		}
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, p)
	}
	answers := map[command.PartitionKey]kmsg.ListOffsetsResponseTopicPartition{}
	for _, shard := range s.RequestSharded(ctx, req) {
		if shard.Err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			continue // of one leader; its partitions are those that are not mentioned
		}
		for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				answers[command.PartitionKey{Topic: t.Topic, Partition: p.Partition}] = p
			}
		}
	}
	return answers, nil
}

// lagOf finds what only an Ottla says.
func lagOf(answer kmsg.ListOffsetsResponseTopicPartition) (lag kafka.Lag, ok bool) {
	answer.UnknownTags.Each(func(tag uint32, value []byte) {
		if tag == kafka.LagTag {
			lag, ok = kafka.ParseLag(value)
		}
	})
	return lag, ok
}

// The notes on committed offsets that the log no longer fits.
const (
	noteBelow  = "records were deleted before they were consumed"
	noteBeyond = "the log ends before the committed offset"
	noteOther  = "the topic was created anew since the commit"
)

// take fills in what the leader of the partition says.
func (p *groupPartition) take(l kafka.Lag) {
	start, records := int64(l.Start), l.Records
	p.Start, p.Lag, p.LagExact = &start, &records, l.Exact
	if l.Age >= 0 {
		s := float64(l.Age) / 1000
		p.LagSeconds = &s
	}
	if l.First >= 0 {
		first := int64(l.First)
		p.Unread = &first
		if l.Timestamp >= 0 {
			p.UnreadTime = &l.Timestamp
		}
	}
	p.Note = map[kafka.LagStanding]string{kafka.LagBelowStart: noteBelow, kafka.LagBeyondEnd: noteBeyond, kafka.LagOtherTopic: noteOther}[l.Standing]
}

// reckon derives the lag in records from offsets alone, by the rules of kafka.Lag.
func (p *groupPartition) reckon(start int64) {
	p.Start = &start
	from := *p.Committed
	switch {
	case from < start:
		from, p.Note = start, noteBelow
	case from > *p.End:
		from, p.Note = start, noteBeyond
	}
	n := *p.End - from
	p.Lag = &n
}
