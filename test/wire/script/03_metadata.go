package script

import "github.com/twmb/franz-go/pkg/kmsg"

// metadataRequest asks for topics by name; without any it asks for none.
func metadataRequest(names ...string) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{}
	for _, n := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = ptr(n)
		req.Topics = append(req.Topics, t)
	}
	return req
}

func metadataSample(*run) kmsg.Request { return metadataRequest() }

func metadata(r *run) {
	r.make(newTopic(r.name("a"), 3), newTopic(r.name("b"), 1))
	named := func(name string, topics ...string) {
		for i := range topics {
			topics[i] = r.name(topics[i])
		}
		r.do(name, metadataRequest(topics...))
	}
	all := kmsg.NewPtrMetadataRequest()
	if r.version == 0 { // null is not to be had; none means all
		all.Topics = []kmsg.MetadataRequestTopic{}
	}
	r.do("all topics", all)
	if r.version > 0 {
		named("no topics")
	}
	named("one topic", "a")
	named("two topics", "a", "b")
	named("the same topic twice", "a", "a")
	named("unknown topic", "none")
	named("known and unknown", "a", "none2") // another name: versions below 4 create what they ask for
	r.do("empty name", metadataRequest(""))
	r.do("invalid name", metadataRequest("a b"))
	r.do("name of 300", metadataRequest(long(300)))
	if r.version >= 4 { // earlier versions create it
		r.do("internal topic that is not there", metadataRequest("__nobody"))
	}
	ops := metadataRequest(r.name("a"))
	ops.IncludeClusterAuthorizedOperations, ops.IncludeTopicAuthorizedOperations = true, true
	r.do("authorized operations", ops)
	metadataCreates(r)
	metadataByID(r)
}

// long is a text of n letters.
func long(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'l'
	}
	return string(b)
}

// metadataCreates lets requests create topics.
func metadataCreates(r *run) {
	creating := func(name string, topics ...string) {
		req := metadataRequest(topics...)
		req.AllowAutoTopicCreation = true
		r.do(name, req)
	}
	if r.version < 4 { // earlier versions always create, which the cases above did
		return
	}
	creating("create", r.name("new"))
	if err := r.await("the new topic", func() (bool, error) { return r.visible(r.name("new")) }); err != nil {
		r.fail("%w", err)
	}
	creating("created", r.name("new"))
	creating("create, invalid name", "a b")
	creating("create, empty name", "")
	creating("create, name of 300", long(300))
	creating("create, one dot", ".")
	creating("create, metadata log", "__cluster_metadata")
}

// metadataByID asks by topic id, where the version has it.
func metadataByID(r *run) {
	if r.version < 10 {
		return
	}
	by := func(name string, id [16]byte, topic *string) {
		req := metadataRequest()
		t := kmsg.NewMetadataRequestTopic()
		t.TopicID, t.Topic = id, topic
		req.Topics = append(req.Topics, t)
		r.do(name, req)
	}
	by("by id", r.id("a"), nil)
	by("by unknown id", strangeID, nil)
	by("by id and name", r.id("a"), ptr(r.name("a")))
	by("by id and another's name", r.id("a"), ptr(r.name("b")))
	by("neither id nor name", [16]byte{}, nil)
	by("by the metadata log's id", metadataTopicID, nil)
	req := metadataRequest(r.name("b"))
	t := kmsg.NewMetadataRequestTopic()
	t.TopicID = r.id("a")
	req.Topics = append(req.Topics, t)
	r.do("one by id, one by name", req)
}
