package kafkatools

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// awaitTopic asks for a topic, which may make it, until it is there or max.block.ms have passed. A record that is tried only some times
// would not live to see it otherwise; it will tell what is wrong if the topic does not come.
func (c *client) awaitTopic(ctx context.Context, s settings, topic string) error {
	most, err := s.millis("max.block.ms", time.Minute)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = true
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &topic
	req.Topics = append(req.Topics, t)
	for {
		resp, err := ask[*kmsg.MetadataResponse](ctx, c, "metadata", req)
		if ctx.Err() != nil || err == nil && len(resp.Topics) == 1 && resp.Topics[0].ErrorCode == 0 {
			return nil
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			return nil
		}
	}
}
