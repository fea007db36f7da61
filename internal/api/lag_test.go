package api_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/testkit"
)

// Who asks how far a committed offset is behind is told; who does not sees Kafka's bytes.
func TestListOffsetsTellsLagToThoseWhoAsk(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 1)
	c.MustProduce("a", 0, testkit.BatchOf(1, "x", "y", "z"))
	ask := func(version int16, value []byte) (lag kafka.Lag, tags int) {
		t.Helper()
		req := kmsg.NewPtrListOffsetsRequest()
		req.ReplicaID = -1
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Timestamp = -1
		if value != nil {
			p.UnknownTags.Set(kafka.LagTag, value)
		}
		req.Topics = []kmsg.ListOffsetsRequestTopic{{Topic: "a", Partitions: []kmsg.ListOffsetsRequestTopicPartition{p}}}
		got := testkit.Ask[*kmsg.ListOffsetsResponse](c, req, version).Topics[0].Partitions[0]
		if got.ErrorCode != 0 || got.Offset != 3 {
			t.Fatalf("version %d: offset %d, %s", version, got.Offset, testkit.Code(got.ErrorCode))
		}
		got.UnknownTags.Each(func(tag uint32, value []byte) {
			tags++
			if l, ok := kafka.ParseLag(value); ok && tag == kafka.LagTag {
				lag = l
			}
		})
		return lag, tags
	}
	question := kafka.LagQuestion{Committed: 1}.Append(nil)
	for version := int16(6); version <= 11; version++ {
		if _, tags := ask(version, nil); tags != 0 {
			t.Errorf("version %d: %d tagged fields that nobody asked for", version, tags)
		}
		lag, tags := ask(version, question)
		if tags != 1 || lag.Standing != kafka.LagInside || !lag.Exact || lag.Records != 2 || lag.First != 1 || lag.Age < 0 {
			t.Errorf("version %d: %d tagged fields, %+v", version, tags, lag)
		}
	}
	if _, tags := ask(5, question); tags != 0 {
		t.Errorf("version 5 has no tagged fields, and was answered %d", tags)
	}
}
