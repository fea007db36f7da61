package api

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group"
)

// OffsetDelete, key 47, version 0. KIP-496: committed offsets of topics that the group does not read.
func offsetDelete(c *call, req *kmsg.OffsetDeleteRequest) {
	resp := kmsg.NewPtrOffsetDeleteResponse()
	if req.Group == "" {
		resp.ErrorCode = kerr.InvalidGroupID.Code
		c.reply(resp)
		return
	}
	known := req.Topics[:0]
	image := c.image()
	for _, t := range req.Topics {
		exist, others := existing(image.Topics.ByName(t.Topic), t.Partitions, func(p kmsg.OffsetDeleteRequestTopicPartition) int32 { return p.Partition })
		for _, p := range others {
			refused := kmsg.NewOffsetDeleteResponseTopicPartition()
			refused.Partition, refused.ErrorCode = p.Partition, kerr.UnknownTopicOrPartition.Code
			into := deletedTopic(resp, t.Topic)
			into.Partitions = append(into.Partitions, refused)
		}
		if t.Partitions = exist; len(exist) > 0 {
			known = append(known, t)
		}
	}
	req.Topics = known
	c.askGroup(req.Group, group.DeleteOffsets{Request: req}, func(answer any, err error) kmsg.Response {
		refused := kmsg.NewPtrOffsetDeleteResponse()
		if err != nil {
			refused.ErrorCode = code(err)
			return refused
		}
		deleted := answer.(*kmsg.OffsetDeleteResponse)
		if deleted.ErrorCode != 0 {
			refused.ErrorCode = deleted.ErrorCode
			return refused
		}
		for _, t := range deleted.Topics {
			into := deletedTopic(resp, t.Topic)
			into.Partitions = append(into.Partitions, t.Partitions...)
		}
		return resp
	})
}

// deletedTopic is the part of a topic in the response, a new one if there is none.
func deletedTopic(resp *kmsg.OffsetDeleteResponse, name string) *kmsg.OffsetDeleteResponseTopic {
	for i := range resp.Topics {
		if resp.Topics[i].Topic == name {
			return &resp.Topics[i]
		}
	}
	t := kmsg.NewOffsetDeleteResponseTopic()
	t.Topic = name
	resp.Topics = append(resp.Topics, t)
	return &resp.Topics[len(resp.Topics)-1]
}
