package api

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// CreateTopics, key 19, versions 2 to 7. KIP-464 (defaults by -1, version 4), KIP-525 (version 5 returns the
// configuration), KIP-599 (throttling), KIP-516 (version 7 returns the id). The controller decides topic by topic; the
// answer leaves when its records are committed and the topics can be used.
func createTopics(c *call, req *kmsg.CreateTopicsRequest) *kmsg.CreateTopicsResponse {
	if late(req.TimeoutMillis) {
		resp := kmsg.NewPtrCreateTopicsResponse()
		for _, t := range req.Topics {
			rt := kmsg.NewCreateTopicsResponseTopic()
			rt.Topic, rt.ErrorCode = t.Topic, kerr.RequestTimedOut.Code
			rt.Configs = []kmsg.CreateTopicsResponseTopicConfig{}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp
	}
	return submit[*kmsg.CreateTopicsResponse](c, controller.CreateTopics{Request: req})
}

// late reports a request to the controller whose time is up before it begins, in milliseconds: Kafka's controller
// drops it undone.
func late(timeout int32) bool { return timeout <= 0 }
