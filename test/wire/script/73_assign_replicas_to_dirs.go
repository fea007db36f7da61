package script

import "github.com/twmb/franz-go/pkg/kmsg"

// placed says that a partition of topic a is in a directory of the script's broker.
func placed(r *run, epoch int64, dir [16]byte, partitions ...int32) *kmsg.AssignReplicasToDirsRequest {
	t := kmsg.NewAssignReplicasToDirsRequestDirectoryTopic()
	t.TopicID = r.id("a")
	for _, n := range partitions {
		p := kmsg.NewAssignReplicasToDirsRequestDirectoryTopicPartition()
		p.Partition = n
		t.Partitions = append(t.Partitions, p)
	}
	d := kmsg.NewAssignReplicasToDirsRequestDirectory()
	d.ID, d.Topics = dir, append(d.Topics, t)
	req := kmsg.NewPtrAssignReplicasToDirsRequest()
	req.BrokerID, req.BrokerEpoch, req.Directories = r.newBroker(), epoch, append(req.Directories, d)
	return req
}

func assignReplicasSample(*run) kmsg.Request {
	req := kmsg.NewPtrAssignReplicasToDirsRequest()
	req.BrokerID, req.BrokerEpoch = 9999, 1
	return req
}

func assignReplicas(r *run) {
	epoch := r.register()
	r.fences(epoch, false)
	me, node := r.newBroker(), r.target.NodeID
	r.make(assigned(r.name("a"), []int32{me, node}, []int32{node, me}), assigned(r.name("b"), []int32{node}))
	edited := func(name string, edit func(*kmsg.AssignReplicasToDirsRequest), partitions ...int32) {
		req := placed(r, epoch, directory(me), partitions...)
		edit(req)
		r.do(name, req)
	}
	type q = *kmsg.AssignReplicasToDirsRequest
	edited("unknown broker", func(q q) { q.BrokerID = 9999 }, 0)
	edited("negative broker", func(q q) { q.BrokerID = -1 }, 0)
	edited("old broker epoch", func(q q) { q.BrokerEpoch-- }, 0)
	edited("negative broker epoch", func(q q) { q.BrokerEpoch = -1 }, 0)
	edited("another broker's epoch", func(q q) { q.BrokerID = node }, 0)
	edited("no directories", func(q q) { q.Directories = nil })
	edited("no topics", func(q q) { q.Directories[0].Topics = nil })
	edited("no partitions", func(q) {})
	edited("unknown directory", func(q q) { q.Directories[0].ID = incarnation(88) }, 0)
	edited("unassigned", func(q q) { q.Directories[0].ID = [16]byte{} }, 0)
	edited("lost", func(q q) { q.Directories[0].ID = [16]byte{15: 1} }, 1)
	edited("unknown topic", func(q q) { q.Directories[0].Topics[0].TopicID = incarnation(77) }, 0)
	edited("zero topic", func(q q) { q.Directories[0].Topics[0].TopicID = [16]byte{} }, 0)
	edited("unknown and negative partitions", func(q) {}, 9, -1)
	edited("no replica", func(q q) { q.Directories[0].Topics[0].TopicID = r.id("b") }, 0)
	edited("ordinary", func(q) {}, 0, 1)
	edited("again", func(q) {}, 0, 1)
	edited("a partition twice", func(q) {}, 0, 0)
	edited("a directory twice", func(q q) { q.Directories = append(q.Directories, q.Directories[0]) }, 0)
	edited("good and bad", func(q) {}, 0, 9)
	r.fences(epoch, true)
	edited("fenced", func(q) {}, 0)
}
