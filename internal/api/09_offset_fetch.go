package api

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// OffsetFetch, key 9, versions 1 to 10. KIP-320 (leader epochs, version 5), KIP-447 (version 7 may ask for stable offsets
// alone), KIP-709 (many groups, version 8), KIP-848 (member epochs, version 9; topic ids, version 10).
//
// A list of topics that is null asks for all. Until version 7 the answer has one group without a name, until version 1
// errors have no place but the partitions.
func offsetFetch(c *call, req *kmsg.OffsetFetchRequest) {
	groups := distinct(req.Groups, func(g kmsg.OffsetFetchRequestGroup) string { return g.Group })
	if req.Version < 8 {
		groups = []kmsg.OffsetFetchRequestGroup{soleGroup(req)}
	}
	image := c.image()
	parts := make([]kmsg.OffsetFetchResponseGroup, len(groups))
	unknown := make([][]kmsg.OffsetFetchRequestGroupTopic, len(groups))
	var questions []question
	for i := range groups {
		g := groups[i]
		if req.Version >= 10 {
			g.Topics, unknown[i] = namedTopics(image, g.Topics)
		}
		cmd := group.FetchOffsets{Group: g, RequireStable: req.RequireStable}
		questions = append(questions, question{c.groupPartition(g.Group), cmd, func(resp any, err error) {
			if err != nil {
				parts[i] = kmsg.NewOffsetFetchResponseGroup()
				parts[i].Group, parts[i].ErrorCode = g.Group, code(err)
				return
			}
			parts[i] = *resp.(*kmsg.OffsetFetchResponseGroup)
		}})
	}
	c.gather(questions, func() kmsg.Response {
		resp := kmsg.NewPtrOffsetFetchResponse()
		if req.Version < 8 {
			answerSoleGroup(resp, req, &parts[0])
			return resp
		}
		for i := range parts {
			if req.Version >= 10 && parts[i].ErrorCode == 0 {
				addTopicIDs(image, &parts[i], unknown[i])
			}
		}
		resp.Groups = parts
		return resp
	})
}

// soleGroup is the group of a request up to version 7, as later ones have it.
func soleGroup(req *kmsg.OffsetFetchRequest) kmsg.OffsetFetchRequestGroup {
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = req.Group
	if req.Topics != nil {
		g.Topics = []kmsg.OffsetFetchRequestGroupTopic{}
	}
	for _, t := range req.Topics {
		gt := kmsg.NewOffsetFetchRequestGroupTopic()
		gt.Topic, gt.Partitions = t.Topic, t.Partitions
		g.Topics = append(g.Topics, gt)
	}
	return g
}

// answerSoleGroup puts the answer for a group where it was up to version 7.
func answerSoleGroup(resp *kmsg.OffsetFetchResponse, req *kmsg.OffsetFetchRequest, g *kmsg.OffsetFetchResponseGroup) {
	resp.ErrorCode = g.ErrorCode
	for _, gt := range g.Topics {
		t := kmsg.NewOffsetFetchResponseTopic()
		t.Topic = gt.Topic
		for _, p := range gt.Partitions {
			t.Partitions = append(t.Partitions, kmsg.OffsetFetchResponseTopicPartition(p))
		}
		resp.Topics = append(resp.Topics, t)
	}
	if req.Version >= 2 || g.ErrorCode == 0 {
		return
	}
	for _, asked := range req.Topics {
		t := kmsg.NewOffsetFetchResponseTopic()
		t.Topic = asked.Topic
		for _, partition := range asked.Partitions {
			t.Partitions = append(t.Partitions, kmsg.OffsetFetchResponseTopicPartition(refusedFetch(partition, g.ErrorCode)))
		}
		resp.Topics = append(resp.Topics, t)
	}
}

func refusedFetch(partition int32, code int16) kmsg.OffsetFetchResponseGroupTopicPartition {
	p := kmsg.NewOffsetFetchResponseGroupTopicPartition()
	p.Partition, p.Offset, p.LeaderEpoch, p.Metadata, p.ErrorCode = partition, int64(kafka.NoOffset), int32(kafka.NoEpoch), new(""), code
	return p
}

// namedTopics gives topics that are asked for by id their names, and sets those apart that do not exist. Null stays null.
func namedTopics(image *metadata.Image, topics []kmsg.OffsetFetchRequestGroupTopic) (named, unknown []kmsg.OffsetFetchRequestGroupTopic) {
	if topics == nil {
		return nil, nil
	}
	named = []kmsg.OffsetFetchRequestGroupTopic{}
	for _, t := range topics {
		topic := image.Topics.ByID(t.TopicID)
		if topic == nil {
			unknown = append(unknown, t)
			continue
		}
		t.Topic = topic.Name
		named = append(named, t)
	}
	return named, unknown
}

// addTopicIDs gives the topics of an answer their ids, leaves those out that have none any more, and adds the unknown.
func addTopicIDs(image *metadata.Image, g *kmsg.OffsetFetchResponseGroup, unknown []kmsg.OffsetFetchRequestGroupTopic) {
	known := g.Topics[:0]
	for _, t := range g.Topics {
		if topic := image.Topics.ByName(t.Topic); t.TopicID == (kafka.TopicID{}) && topic != nil {
			t.TopicID = topic.ID
		}
		if t.TopicID != (kafka.TopicID{}) {
			known = append(known, t)
		}
	}
	for _, asked := range unknown {
		t := kmsg.NewOffsetFetchResponseGroupTopic()
		t.TopicID = asked.TopicID
		for _, partition := range asked.Partitions {
			t.Partitions = append(t.Partitions, refusedFetch(partition, kerr.UnknownTopicID.Code))
		}
		known = append(known, t)
	}
	g.Topics = known
}
