package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// DeleteRecords, key 21, versions 0 to 2. KIP-107: raises the log start offset, -1 meaning to the high watermark.
func deleteRecords(c *call, req *kmsg.DeleteRecordsRequest) *kmsg.DeleteRecordsResponse {
	resp := kmsg.NewPtrDeleteRecordsResponse()
	for _, t := range req.Topics {
		rt := kmsg.NewDeleteRecordsResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewDeleteRecordsResponseTopicPartition()
			rp.Partition = p.Partition
			low, err := deleteUpTo(c, t.Topic, p.Partition, kafka.Offset(p.Offset))
			rp.LowWatermark, rp.ErrorCode = int64(low), code(err)
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
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
