package api

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/metadata"
)

// OffsetCommit, key 8, versions 2 to 10. KIP-211 (no retention by the client since version 5), KIP-320 (leader epochs,
// version 6), KIP-345 (static members, version 7), KIP-848 (member epochs, version 9), KIP-848 again (topic ids, version
// 10).
//
// Partitions that do not exist are refused one by one; the rest is the group's decision.
func offsetCommit(c *call, req *kmsg.OffsetCommitRequest) {
	answers := newCommitAnswers()
	known := req.Topics[:0]
	image := c.image()
	for _, t := range req.Topics {
		topic := image.Topics.ByName(t.Topic)
		missing := kerr.UnknownTopicOrPartition
		if req.Version >= 10 {
			topic, missing = image.Topics.ByID(t.TopicID), kerr.UnknownTopicID
		}
		if topic == nil {
			answers.refuse(&t, t.Partitions, missing)
			continue
		}
		t.Topic, t.TopicID = topic.Name, topic.ID
		exist, others := existing(topic, t.Partitions, func(p kmsg.OffsetCommitRequestTopicPartition) int32 { return p.Partition })
		answers.refuse(&t, others, kerr.UnknownTopicOrPartition)
		if t.Partitions = exist; len(exist) > 0 {
			known = append(known, t)
		}
	}
	if len(known) == 0 {
		c.reply(answers.resp)
		return
	}
	asked := *req
	asked.Topics = known
	c.askGroup(req.Group, group.CommitOffsets{Request: &asked}, func(answer any, err error) kmsg.Response {
		if err != nil {
			for i := range known {
				answers.refuse(&known[i], known[i].Partitions, err)
			}
			return answers.resp
		}
		committed := answer.(*kmsg.OffsetCommitResponse)
		if len(answers.resp.Topics) == 0 {
			return committed
		}
		for _, t := range committed.Topics {
			into := answers.topic(t.Topic, t.TopicID)
			into.Partitions = append(into.Partitions, t.Partitions...)
		}
		return answers.resp
	})
}

// existing parts the partitions of a topic that exist from the others.
func existing[P any](t *metadata.Topic, partitions []P, index func(P) int32) (exist, others []P) {
	for _, p := range partitions {
		if t.Partition(index(p)) != nil {
			exist = append(exist, p)
		} else {
			others = append(others, p)
		}
	}
	return exist, others
}

// commitAnswers gathers the answers for the partitions of a commit, topic by topic: a request may name very many.
type commitAnswers struct {
	resp *kmsg.OffsetCommitResponse
	at   map[commitTopic]int // in resp.Topics
}

type commitTopic struct {
	name string
	id   [16]byte
}

func newCommitAnswers() *commitAnswers {
	return &commitAnswers{kmsg.NewPtrOffsetCommitResponse(), make(map[commitTopic]int)}
}

// refuse answers partitions of a topic with an error.
func (a *commitAnswers) refuse(t *kmsg.OffsetCommitRequestTopic, partitions []kmsg.OffsetCommitRequestTopicPartition, err error) {
	if len(partitions) == 0 {
		return
	}
	into := a.topic(t.Topic, t.TopicID)
	for _, p := range partitions {
		refused := kmsg.NewOffsetCommitResponseTopicPartition()
		refused.Partition, refused.ErrorCode = p.Partition, code(err)
		into.Partitions = append(into.Partitions, refused)
	}
}

// topic is the part of a topic in the response, a new one if there is none.
func (a *commitAnswers) topic(name string, id [16]byte) *kmsg.OffsetCommitResponseTopic {
	at, found := a.at[commitTopic{name, id}]
	if !found {
		at = len(a.resp.Topics)
		a.at[commitTopic{name, id}] = at
		t := kmsg.NewOffsetCommitResponseTopic()
		t.Topic, t.TopicID = name, id
		a.resp.Topics = append(a.resp.Topics, t)
	}
	return &a.resp.Topics[at]
}
