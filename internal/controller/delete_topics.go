package controller

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// deletion is one topic that a request names, by name or by id.
type deletion struct {
	name *string
	id   kafka.TopicID
}

func (r DeleteTopics) handle(c *Controller, t turn) (Result, error) {
	response := kmsg.NewPtrDeleteTopicsResponse()
	response.Version = r.Request.Version
	asked := deletions(r.Request)
	names, ids := make(map[string]int), make(map[kafka.TopicID]int)
	for _, d := range asked {
		switch {
		case d.name == nil:
			ids[d.id]++
		case d.id.IsZero():
			names[*d.name]++
		}
	}
	both := c.namedTwice(names, ids)
	var out records
	for _, d := range asked {
		answer := kmsg.NewDeleteTopicsResponseTopic()
		answer.Topic, answer.TopicID = d.name, d.id
		if timedOut(r.Request.TimeoutMillis) {
			answer.ErrorCode = kerr.RequestTimedOut.Code
			response.Topics = append(response.Topics, answer)
			continue
		}
		topic, refused, again := r.find(c, d, names, ids)
		if again || d.name == nil && both[d.id] {
			continue // said once, or to be said for the name
		}
		if refused == nil && both[topic.ID] {
			refused = refuse(kerr.InvalidRequest, "The provided topic name maps to an ID that was already supplied.")
		}
		if refused == nil {
			out.add(&schema.RemoveTopicRecord{TopicID: topic.ID}, 0)
		}
		if topic != nil {
			answer.Topic, answer.TopicID = &topic.Name, topic.ID
		}
		answer.ErrorCode, answer.ErrorMessage = refused.split()
		response.Topics = append(response.Topics, answer)
	}
	return Result{Records: out, Response: response}, nil
}

// namedTwice are the topics that a request names by name and by id, once each.
func (c *Controller) namedTwice(names map[string]int, ids map[kafka.TopicID]int) map[kafka.TopicID]bool {
	both := make(map[kafka.TopicID]bool)
	for name, n := range names {
		if topic := c.Image().Topics.ByName(name); topic != nil && n == 1 && ids[topic.ID] == 1 {
			both[topic.ID] = true
		}
	}
	return both
}

// deletions lists what a request names in any of its versions.
func deletions(req *kmsg.DeleteTopicsRequest) []deletion {
	var asked []deletion
	for i := range req.TopicNames {
		asked = append(asked, deletion{name: &req.TopicNames[i]})
	}
	for i := range req.Topics {
		asked = append(asked, deletion{name: req.Topics[i].Topic, id: req.Topics[i].TopicID})
	}
	return asked
}

// find resolves what is to be deleted. again says that a duplicate was answered before. A topic comes back with a
// refusal only when the principal may know it.
func (r DeleteTopics) find(c *Controller, d deletion, names map[string]int, ids map[kafka.TopicID]int) (topic *metadata.Topic, refused *refusal, again bool) {
	if c.cfg.DisableDeleteTopics {
		if r.Request.Version < 3 {
			return nil, refuse(kerr.InvalidRequest, "Topic deletion is disabled."), false
		}
		return nil, refuseBare(kerr.TopicDeletionDisabled), false
	}
	switch {
	case d.name == nil && d.id.IsZero():
		return nil, refuse(kerr.InvalidRequest, "Neither topic name nor id were specified."), false
	case d.name != nil && !d.id.IsZero():
		return nil, refuse(kerr.InvalidRequest, "You may not specify both topic name and topic id."), false
	case d.name == nil:
		return r.findByID(c, d.id, ids)
	}
	return r.findByName(c, *d.name, names)
}

func (r DeleteTopics) findByID(c *Controller, id kafka.TopicID, ids map[kafka.TopicID]int) (*metadata.Topic, *refusal, bool) {
	if n := ids[id]; n != 1 {
		ids[id] = 0
		return nil, refuse(kerr.InvalidRequest, "Duplicate topic id."), n == 0
	}
	topic := c.Image().Topics.ByID(id)
	switch {
	case topic == nil:
		return nil, refuseGeneric(kerr.UnknownTopicID), false
	case allowed(r.MayDelete, topic.Name):
		return topic, nil, false
	case allowed(r.MayDescribe, topic.Name):
		return topic, refuseGeneric(kerr.TopicAuthorizationFailed), false
	}
	return nil, refuseGeneric(kerr.TopicAuthorizationFailed), false
}

func (r DeleteTopics) findByName(c *Controller, name string, names map[string]int) (*metadata.Topic, *refusal, bool) {
	if n := names[name]; n != 1 {
		names[name] = 0
		return nil, refuse(kerr.InvalidRequest, "Duplicate topic name."), n == 0
	}
	topic := c.Image().Topics.ByName(name)
	switch {
	case !allowed(r.MayDescribe, name):
		return nil, refuseGeneric(kerr.TopicAuthorizationFailed), false
	case topic == nil:
		return nil, refuseGeneric(kerr.UnknownTopicOrPartition), false
	case !allowed(r.MayDelete, name):
		return nil, refuseGeneric(kerr.TopicAuthorizationFailed), false
	}
	return topic, nil, false
}
