package kafkatools

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
)

// listed is a topic of a listing.
type listed struct {
	name     string
	id       kafka.UUID
	internal bool
}

func names(topics []listed) []string {
	all := make([]string, len(topics))
	for i, t := range topics {
		all[i] = t.name
	}
	return all
}

// topics are all topics of the cluster, sorted by name.
func (c *client) topics(ctx context.Context) ([]listed, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = nil
	resp, err := ask[*kmsg.MetadataResponse](ctx, c, "listTopics", req)
	if err != nil {
		return nil, err
	}
	var all []listed
	for _, t := range resp.Topics {
		if t.Topic != nil {
			all = append(all, listed{*t.Topic, t.TopicID, t.IsInternal})
		}
	}
	slices.SortFunc(all, func(a, b listed) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// createTopic creates a topic of one partition and one replica.
func (c *client) createTopic(ctx context.Context, name string) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 1, 1
	req.Topics, req.TimeoutMillis = append(req.Topics, topic), c.timeoutMillis()
	resp, err := ask[*kmsg.CreateTopicsResponse](ctx, c, "createTopics", req)
	if err != nil || len(resp.Topics) != 1 {
		return err
	}
	return javaCode(resp.Topics[0].ErrorCode, resp.Topics[0].ErrorMessage)
}

var (
	quotesBefore = regexp.MustCompile(`^["']+`)
	quotesAfter  = regexp.MustCompile(`["']+$`)
)

// topicFilter is what Apache's tools take for a list of topics: names or regular expressions with commas between.
func topicFilter(raw string) (func(string) bool, error) {
	expr := strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(raw), ",", "|"), " ", "")
	expr = quotesAfter.ReplaceAllString(quotesBefore.ReplaceAllString(expr, ""), "")
	re, err := regexp.Compile("^(?:" + expr + ")$")
	if err != nil {
		return nil, errors.New(expr + " is an invalid regex.")
	}
	return re.MatchString, nil
}

// partitionsOfTopics are the partitions of topics in the order in which Java's client gives them, and those among them that have no
// leader.
func (c *client) partitionsOfTopics(ctx context.Context, topics []string) (all []kafka.TopicPartition, leaderless map[kafka.TopicPartition]bool, _ error) {
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = false
	req.Topics = []kmsg.MetadataRequestTopic{}
	for _, t := range java.StringOrder(slices.Compact(slices.Sorted(slices.Values(topics)))) {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(t)
		req.Topics = append(req.Topics, topic)
	}
	leaderless = map[kafka.TopicPartition]bool{}
	if len(req.Topics) == 0 {
		return nil, leaderless, nil
	}
	resp, err := ask[*kmsg.MetadataResponse](ctx, c, "describeTopics", req)
	if err != nil {
		return nil, nil, err
	}
	byName := map[string]kmsg.MetadataResponseTopic{}
	for _, t := range resp.Topics {
		if t.Topic != nil {
			byName[*t.Topic] = t
		}
	}
	for _, want := range req.Topics {
		t, found := byName[*want.Topic]
		if !found {
			t.ErrorCode = kerr.UnknownTopicOrPartition.Code
		}
		if err := javaCode(t.ErrorCode, nil); err != nil {
			return nil, nil, err
		}
		slices.SortFunc(t.Partitions, func(a, b kmsg.MetadataResponseTopicPartition) int { return int(a.Partition - b.Partition) })
		for _, p := range t.Partitions {
			tp := kafka.TopicPartition{Topic: *want.Topic, Partition: p.Partition}
			all = append(all, tp)
			if p.Leader < 0 {
				leaderless[tp] = true
			}
		}
	}
	return all, leaderless, nil
}
