package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
)

// DeleteRecords, key 21, versions 0 to 2. KIP-107: raises the log start offset, -1 meaning to the high watermark. The new
// offsets are on the disk before the answer leaves.
func deleteRecords(c *call, req *kmsg.DeleteRecordsRequest) *kmsg.DeleteRecordsResponse {
	resp := kmsg.NewPtrDeleteRecordsResponse()
	upTo := map[kafka.TopicPartition]kafka.Offset{}
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			upTo[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = kafka.Offset(p.Offset)
		}
	}
	raised := map[kafka.TopicPartition]*partition.Partition{}
	at := map[string]int{} // of a topic in the answer
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			tp := kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}
			offset, asked := upTo[tp]
			if !asked {
				continue
			}
			delete(upTo, tp)
			i, seen := at[t.Topic]
			if !seen {
				i = len(resp.Topics)
				at[t.Topic] = i
				rt := kmsg.NewDeleteRecordsResponseTopic()
				rt.Topic = t.Topic
				resp.Topics = append(resp.Topics, rt)
			}
			rp := kmsg.NewDeleteRecordsResponseTopicPartition()
			rp.Partition = p.Partition
			low, err := deleteUpTo(c, tp, offset, raised)
			rp.LowWatermark, rp.ErrorCode = int64(low), code(err)
			resp.Topics[i].Partitions = append(resp.Topics[i].Partitions, rp)
		}
	}
	keepDeletions(resp, raised)
	return resp
}

// deleteUpTo deletes from one partition, which it puts into raised if that worked.
func deleteUpTo(c *call, tp kafka.TopicPartition, upTo kafka.Offset, raised map[kafka.TopicPartition]*partition.Partition) (kafka.Offset, error) {
	p, err := c.Partitions.Get(tp.Topic, tp.Partition)
	if err != nil {
		return kafka.NoOffset, err
	}
	low, err := p.DeleteRecords(upTo)
	if err != nil {
		return kafka.NoOffset, err
	}
	raised[tp] = p
	return low, nil
}

// keepDeletions makes durable what was deleted, and answers with an error where that fails.
func keepDeletions(resp *kmsg.DeleteRecordsResponse, raised map[kafka.TopicPartition]*partition.Partition) {
	for _, t := range resp.Topics {
		for i := range t.Partitions {
			rp := &t.Partitions[i]
			p := raised[kafka.TopicPartition{Topic: t.Topic, Partition: rp.Partition}]
			if p == nil {
				continue
			}
			if err := p.KeepLogStart(); err != nil {
				rp.LowWatermark, rp.ErrorCode = int64(kafka.NoOffset), code(err)
			}
		}
	}
}
