package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// DeleteRecords, key 21, versions 0 to 2. KIP-107: raises the log start offset, -1 meaning to the high watermark.
func deleteRecords(c *call, req *kmsg.DeleteRecordsRequest) *kmsg.DeleteRecordsResponse {
	resp := kmsg.NewPtrDeleteRecordsResponse()
	upTo := map[kafka.TopicPartition]kafka.Offset{}
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			upTo[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = kafka.Offset(p.Offset)
		}
	}
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
			low, err := deleteUpTo(c, t.Topic, p.Partition, offset)
			rp.LowWatermark, rp.ErrorCode = int64(low), code(err)
			resp.Topics[i].Partitions = append(resp.Topics[i].Partitions, rp)
		}
	}
	return resp
}

func deleteUpTo(c *call, topic string, index int32, upTo kafka.Offset) (kafka.Offset, error) {
	p, err := c.Partitions.Get(topic, index)
	if err != nil {
		return kafka.NoOffset, err
	}
	low, err := p.DeleteRecords(upTo)
	if err != nil {
		return kafka.NoOffset, err
	}
	return low, nil
}
