package script

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func createTopicsRequest(ts ...kmsg.CreateTopicsRequestTopic) *kmsg.CreateTopicsRequest {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis, req.Topics = 10_000, ts
	return req
}

func createTopicsSample(r *run) kmsg.Request { return createTopicsRequest() }

// assigned places partitions by hand: one slice of replicas each.
func assigned(name string, replicas ...[]int32) kmsg.CreateTopicsRequestTopic {
	t := newTopic(name, -1)
	t.ReplicationFactor = -1
	for i, rs := range replicas {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition, a.Replicas = int32(i), rs
		t.ReplicaAssignment = append(t.ReplicaAssignment, a)
	}
	return t
}

func createTopics(r *run) {
	one := func(name string, t kmsg.CreateTopicsRequestTopic, edits ...func(*kmsg.CreateTopicsRequest)) {
		if !strings.HasPrefix(t.Topic, r.prefix()) && t.Topic != "" && len(t.Topic) < 20 {
			t.Topic = r.name(t.Topic)
		}
		req := createTopicsRequest(t)
		for _, e := range edits {
			e(req)
		}
		r.do(name, req)
	}
	r.do("no topics", createTopicsRequest())
	one("ordinary", newTopic("ord", 3))
	one("exists already", newTopic("ord", 1))
	one("with configs", newTopic("conf", 2, "retention.ms", "1000", "cleanup.policy", "compact"))
	dry := func(q *kmsg.CreateTopicsRequest) { q.ValidateOnly = true }
	one("validate only", newTopic("dry", 2, "retention.ms", "1"), dry)
	one("validate only, exists", newTopic("ord", 2), dry)
	one("validate only, was not made", newTopic("dry", 1))
	def := newTopic("def", -1)
	def.ReplicationFactor = -1
	one("defaults by -1", def)
	one("partitions 0", newTopic("p0", 0))
	one("partitions -2", newTopic("p-2", -2))
	one("partitions 10001", newTopic("pmany", 10_001), dry)
	one("partitions absurd", newTopic("phuge", 1<<31-1))
	rf := func(n int16) kmsg.CreateTopicsRequestTopic {
		t := newTopic("rf", 1)
		t.ReplicationFactor = n
		return t
	}
	one("replication factor 0", rf(0))
	one("replication factor 2", rf(2))
	one("replication factor -2", rf(-2))
	one("negative timeout", newTopic("neg", 1), func(q *kmsg.CreateTopicsRequest) { q.TimeoutMillis = -1 })
	one("timeout 0", newTopic("t0", 1), func(q *kmsg.CreateTopicsRequest) { q.TimeoutMillis = 0 })
	createTopicsNames(r, one)
	createTopicsConfigs(one)
	createTopicsAssigned(r, one)

	a, b := newTopic(r.name("dup"), 1), newTopic(r.name("other"), 1)
	r.do("same name twice", createTopicsRequest(a, a, b))
	bad := newTopic(r.name("bad"), 0)
	r.do("good and bad", createTopicsRequest(newTopic(r.name("good"), 1), bad))
}

type createOne func(name string, t kmsg.CreateTopicsRequestTopic, edits ...func(*kmsg.CreateTopicsRequest))

func createTopicsNames(r *run, one createOne) {
	one("empty name", newTopic("", 1))
	one("name of one dot", newTopic(".", 1), func(q *kmsg.CreateTopicsRequest) { q.Topics[0].Topic = "." })
	one("name of two dots", newTopic(".", 1), func(q *kmsg.CreateTopicsRequest) { q.Topics[0].Topic = ".." })
	one("name with a space", newTopic("a b", 1))
	one("name with a slash", newTopic("a/b", 1))
	one("name not ASCII", newTopic("ä", 1))
	one("name of 249", newTopic(r.prefix()+strings.Repeat("n", 249-len(r.prefix())), 1), func(q *kmsg.CreateTopicsRequest) { q.ValidateOnly = true })
	one("name of 250", newTopic(r.prefix()+strings.Repeat("n", 250-len(r.prefix())), 1))
	one("dotted", newTopic("col.x", 1))
	one("underscored, collides", newTopic("col_x", 1))
	one("metadata log's name", newTopic("m", 1), func(q *kmsg.CreateTopicsRequest) { q.Topics[0].Topic = "__cluster_metadata" })
}

func createTopicsConfigs(one createOne) {
	one("unknown config", newTopic("c1", 1, "no.such.key", "1"))
	one("config of the wrong type", newTopic("c2", 1, "retention.ms", "soon"))
	one("config out of range", newTopic("c3", 1, "segment.bytes", "3"))
	one("config not in the list", newTopic("c4", 1, "cleanup.policy", "burn"))
	one("config list empty", newTopic("c5", 1, "cleanup.policy", ""))
	one("config list twice the same", newTopic("c6", 1, "cleanup.policy", "delete,delete"))
	one("config empty name", newTopic("c7", 1, "", "1"))
	one("config twice", newTopic("c8", 1, "retention.ms", "1", "retention.ms", "2"))
	one("config null", newTopic("c9", 1, "retention.ms", "1"), func(q *kmsg.CreateTopicsRequest) { q.Topics[0].Configs[0].Value = nil })
	one("configs that contradict", newTopic("c10", 1, "local.retention.ms", "10", "retention.ms", "5", "remote.storage.enable", "true"))
	one("min insync replicas above", newTopic("c11", 1, "min.insync.replicas", "3"))
	one("config with spaces", newTopic("c12", 1, "retention.ms", " 5 "))
	one("compression level", newTopic("c13", 1, "compression.type", "gzip", "compression.gzip.level", "99"))
	one("throttled replicas", newTopic("c14", 1, "leader.replication.throttled.replicas", "x:y"))
	one("two bad configs", newTopic("c15", 1, "retention.ms", "soon", "segment.bytes", "3"))
}

func createTopicsAssigned(r *run, one createOne) {
	n := r.target.NodeID
	one("assigned", assigned("as", []int32{n}, []int32{n}))
	one("assigned to nobody", assigned("as1", []int32{}))
	one("assigned to an unknown node", assigned("as2", []int32{99}))
	one("assigned twice to one node", assigned("as3", []int32{n, n}))
	one("assigned with other factors", assigned("as4", []int32{n}, []int32{n, 99}))
	gap := func(q *kmsg.CreateTopicsRequest) { q.Topics[0].ReplicaAssignment[0].Partition = 4 }
	one("assigned with a gap", assigned("as5", []int32{n}), gap)
	negative := func(q *kmsg.CreateTopicsRequest) { q.Topics[0].ReplicaAssignment[0].Partition = -1 }
	one("assigned to partition -1", assigned("as6", []int32{n}), negative)
	again := func(q *kmsg.CreateTopicsRequest) { q.Topics[0].ReplicaAssignment[1].Partition = 0 }
	one("assigned, a partition twice", assigned("as7", []int32{n}, []int32{n}), again)
	both := func(q *kmsg.CreateTopicsRequest) { q.Topics[0].NumPartitions = 1 }
	one("assigned and counted", assigned("as8", []int32{n}), both)
	factor := func(q *kmsg.CreateTopicsRequest) { q.Topics[0].ReplicationFactor = 1 }
	one("assigned and a factor", assigned("as9", []int32{n}), factor)
	one("assigned to a negative node", assigned("as10", []int32{-1}))
}
