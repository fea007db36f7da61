package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// CreateTopics, key 19, versions 2 to 7. KIP-464 (defaults by -1, version 4), KIP-525 (version 5 returns the
// configuration), KIP-599 (throttling), KIP-516 (version 7 returns the id). The controller decides topic by topic; the
// answer leaves when its records are committed and the topics can be used.
func createTopics(c *call, req *kmsg.CreateTopicsRequest) *kmsg.CreateTopicsResponse {
	return submit[*kmsg.CreateTopicsResponse](c, controller.CreateTopics{Request: req})
}
