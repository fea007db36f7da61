package script

import "github.com/twmb/franz-go/pkg/kmsg"

func createPartitionsRequest(topic string, count int32, assignments ...[]int32) *kmsg.CreatePartitionsRequest {
	t := kmsg.NewCreatePartitionsRequestTopic()
	t.Topic, t.Count = topic, count
	for _, rs := range assignments {
		a := kmsg.NewCreatePartitionsRequestTopicAssignment()
		a.Replicas = rs
		t.Assignment = append(t.Assignment, a)
	}
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = 10_000
	req.Topics = append(req.Topics, t)
	return req
}

func createPartitionsSample(*run) kmsg.Request {
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = 10_000
	return req
}

func createPartitions(r *run) {
	r.make(newTopic(r.name("a"), 1), newTopic(r.name("b"), 2))
	to := func(name, topic string, count int32, assignments ...[]int32) {
		r.do(name, createPartitionsRequest(r.name(topic), count, assignments...))
	}
	n := r.target.NodeID
	r.do("no topics", createPartitionsSample(r))
	to("grow", "a", 3)
	to("the same count", "a", 3)
	to("fewer", "a", 2)
	to("0", "a", 0)
	to("negative", "a", -1)
	to("absurd", "a", 1<<31-1)
	to("beyond 10000", "a", 10_100)
	to("unknown topic", "none", 3)
	r.do("empty name", createPartitionsRequest("", 3))
	r.do("invalid name", createPartitionsRequest("a b", 3))
	to("assigned", "a", 5, []int32{n}, []int32{n})
	to("assigned too few", "a", 7, []int32{n})
	to("assigned too many", "a", 6, []int32{n}, []int32{n})
	to("assigned to an unknown node", "a", 6, []int32{42})
	to("assigned to nobody", "a", 6, []int32{})
	to("assigned twice to one node", "a", 6, []int32{n, n})
	to("assigned to a negative node", "a", 6, []int32{-1})
	empty := createPartitionsRequest(r.name("a"), 6)
	empty.Topics[0].Assignment = []kmsg.CreatePartitionsRequestTopicAssignment{}
	r.do("empty assignment", empty)
	dry := createPartitionsRequest(r.name("a"), 9)
	dry.ValidateOnly = true
	r.do("validate only", dry)
	dry = createPartitionsRequest(r.name("a"), 1)
	dry.ValidateOnly = true
	r.do("validate only, fewer", dry)
	twice := createPartitionsRequest(r.name("b"), 3)
	twice.Topics = append(twice.Topics, createPartitionsRequest(r.name("b"), 4).Topics...)
	r.do("the same topic twice", twice)
	mixed := createPartitionsRequest(r.name("b"), 4)
	mixed.Topics = append(mixed.Topics, createPartitionsRequest(r.name("none"), 4).Topics...)
	r.do("good and bad", mixed)
	zero := createPartitionsRequest(r.name("b"), 5)
	zero.TimeoutMillis = 0
	r.do("timeout 0", zero)
	r.barrier()
	req := metadataRequest(r.name("a"), r.name("b"))
	req.SetVersion(12)
	resp, err := r.ask(broker, req)
	if err != nil {
		r.fail("%w", err)
	}
	r.entry("metadata afterwards", r.renderer().answer(resp))
}
