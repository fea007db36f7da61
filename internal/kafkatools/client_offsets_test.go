package kafkatools

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// A partition whose leader refuses is told of beside the offsets of the others, and is the error of those who want all.
func TestOffsetsThatFail(t *testing.T) {
	server, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	server.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		server.KeepControl()
		resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		topic := kmsg.NewListOffsetsResponseTopic()
		topic.Topic = "t"
		for i, code := range []int16{0, kerr.TopicAuthorizationFailed.Code} {
			p := kmsg.NewListOffsetsResponseTopicPartition()
			p.Partition, p.Offset, p.ErrorCode = int32(i), 7, code
			topic.Partitions = append(topic.Partitions, p)
		}
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	c, err := open(settings{bootstrapServers: server.ListenAddrs()[0]})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	good, bad := kafka.TopicPartition{Topic: "t"}, kafka.TopicPartition{Topic: "t", Partition: 1}
	of := []kafka.TopicPartition{good, bad}
	offsets, failed, err := c.offsets(t.Context(), of, latest)
	if err != nil || len(offsets) != 1 || offsets[good] != 7 || len(failed) != 1 || !isCode(failed[bad], kerr.TopicAuthorizationFailed) {
		t.Errorf("%v, %v, %v", offsets, failed, err)
	}
	if all, err := c.everyOffset(t.Context(), of, latest); !isCode(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("%v, %v", all, err)
	}
	if none, err := c.everyOffset(t.Context(), nil, latest); err != nil || len(none) != 0 {
		t.Errorf("of nothing: %v, %v", none, err)
	}
}
