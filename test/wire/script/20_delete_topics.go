package script

import "github.com/twmb/franz-go/pkg/kmsg"

// deleteTopicsRequest names topics in the way of every version.
func deleteTopicsRequest(names ...string) *kmsg.DeleteTopicsRequest {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = 10_000
	req.TopicNames = names
	for _, n := range names {
		t := kmsg.NewDeleteTopicsRequestTopic()
		t.Topic = ptr(n)
		req.Topics = append(req.Topics, t)
	}
	return req
}

func deleteTopicsSample(*run) kmsg.Request { return deleteTopicsRequest() }

func deleteTopics(r *run) {
	var ts []kmsg.CreateTopicsRequestTopic
	for _, n := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
		ts = append(ts, newTopic(r.name(n), 1))
	}
	r.make(ts...)
	named := func(name string, topics ...string) {
		for i := range topics {
			topics[i] = r.name(topics[i])
		}
		r.do(name, deleteTopicsRequest(topics...))
	}
	named("no topics")
	named("one topic", "a")
	named("the same again", "a")
	named("unknown topic", "none")
	named("two topics", "b", "c")
	named("the same topic twice", "d", "d")
	named("good and bad", "e", "none")
	r.do("empty name", deleteTopicsRequest(""))
	r.do("invalid name", deleteTopicsRequest("a b"))
	r.do("metadata log", deleteTopicsRequest("__cluster_metadata"))
	zero := deleteTopicsRequest(r.name("f"))
	zero.TimeoutMillis = 0
	r.do("timeout 0", zero)
	r.barrier()
	if r.api.where == broker {
		req := metadataRequest(r.name("a"), r.name("b"))
		req.SetVersion(12)
		resp, err := r.ask(broker, req)
		if err != nil {
			r.fail("%w", err)
		}
		r.entry("metadata afterwards", r.renderer().answer(resp))
	}
	if r.version >= 6 {
		deleteTopicsByID(r)
	}
}

func deleteTopicsByID(r *run) {
	by := func(name string, topics ...kmsg.DeleteTopicsRequestTopic) {
		req := deleteTopicsRequest()
		req.Topics = topics
		r.do(name, req)
	}
	topic := func(id [16]byte, name *string) kmsg.DeleteTopicsRequestTopic {
		t := kmsg.NewDeleteTopicsRequestTopic()
		t.TopicID, t.Topic = id, name
		return t
	}
	by("by id", topic(r.id("g"), nil))
	by("by id again", topic(r.id("g"), nil))
	by("by unknown id", topic(strangeID, nil))
	by("by id and name", topic(r.id("h"), ptr(r.name("h"))))
	by("neither id nor name", topic([16]byte{}, nil))
	by("one topic by id and by name", topic(r.id("i"), nil), topic([16]byte{}, ptr(r.name("i"))))
	by("the same id twice", topic(r.id("i"), nil), topic(r.id("i"), nil))
	by("the same unknown id twice", topic(strangeID, nil), topic(strangeID, nil))
	by("the metadata log's id", topic(metadataTopicID, nil))
}
