package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// DeleteTopics, key 20, versions 1 to 6. KIP-516: from version 6 on topics are named by id or by name.
func deleteTopics(c *call, req *kmsg.DeleteTopicsRequest) *kmsg.DeleteTopicsResponse {
	return submit[*kmsg.DeleteTopicsResponse](c, controller.DeleteTopics{Request: req})
}
