package api

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// DeleteTopics, key 20, versions 1 to 6. KIP-516: from version 6 on topics are named by id or by name.
func deleteTopics(c *call, req *kmsg.DeleteTopicsRequest) *kmsg.DeleteTopicsResponse {
	if late(req.TimeoutMillis) {
		resp := kmsg.NewPtrDeleteTopicsResponse()
		for i := range req.TopicNames {
			resp.Topics = append(resp.Topics, kmsg.DeleteTopicsResponseTopic{Topic: &req.TopicNames[i], ErrorCode: kerr.RequestTimedOut.Code})
		}
		for _, t := range req.Topics {
			resp.Topics = append(resp.Topics, kmsg.DeleteTopicsResponseTopic{Topic: t.Topic, TopicID: t.TopicID, ErrorCode: kerr.RequestTimedOut.Code})
		}
		return resp
	}
	return submit[*kmsg.DeleteTopicsResponse](c, controller.DeleteTopics{Request: req})
}
