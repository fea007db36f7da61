package script

import "github.com/twmb/franz-go/pkg/kmsg"

// caughtUp is the heartbeat of a broker that has read all metadata.
func caughtUp(r *run, epoch int64, fence bool) *kmsg.BrokerHeartbeatRequest {
	req := kmsg.NewPtrBrokerHeartbeatRequest()
	req.BrokerID, req.BrokerEpoch, req.CurrentMetadataOffset, req.WantFence = r.newBroker(), epoch, 1<<40, fence
	return req
}

// fences has the script's broker fenced or not.
func (r *run) fences(epoch int64, fence bool) {
	if _, err := r.askAt(controller, 2, caughtUp(r, epoch, fence)); err != nil {
		r.fail("%w", err)
	}
	r.barrier()
}

// proposal is a leader's request for another in-sync set of partition 0 of topic a. The epochs of the members are not told.
func proposal(r *run, epoch int64, isr ...int32) *kmsg.AlterPartitionRequest {
	p := kmsg.NewAlterPartitionRequestTopicPartition()
	p.NewISR = isr
	for _, id := range isr {
		m := kmsg.NewAlterPartitionRequestTopicPartitionNewEpochISR()
		m.BrokerID, m.BrokerEpoch = id, -1
		p.NewEpochISR = append(p.NewEpochISR, m)
	}
	t := kmsg.NewAlterPartitionRequestTopic()
	t.TopicID, t.Partitions = r.id("a"), append(t.Partitions, p)
	req := kmsg.NewPtrAlterPartitionRequest()
	req.BrokerID, req.BrokerEpoch, req.Topics = r.newBroker(), epoch, append(req.Topics, t)
	return req
}

func alterPartitionSample(*run) kmsg.Request {
	req := kmsg.NewPtrAlterPartitionRequest()
	req.BrokerID, req.BrokerEpoch = 9999, 1
	return req
}

// alterPartition is a broker that the script plays: it leads partition 0, with the node as follower, and follows in partition 1.
func alterPartition(r *run) {
	epoch := r.register()
	r.fences(epoch, false)
	me, node := r.newBroker(), r.target.NodeID
	r.make(assigned(r.name("a"), []int32{me, node}, []int32{node, me}))
	edited := func(name string, edit func(*kmsg.AlterPartitionRequest, *kmsg.AlterPartitionRequestTopicPartition), isr ...int32) {
		req := proposal(r, epoch, isr...)
		edit(req, &req.Topics[0].Partitions[0])
		r.do(name, req)
	}
	type q = *kmsg.AlterPartitionRequest
	type p = *kmsg.AlterPartitionRequestTopicPartition
	edited("unknown broker", func(q q, _ p) { q.BrokerID = 9999 }, me)
	edited("negative broker", func(q q, _ p) { q.BrokerID = -1 }, me)
	edited("old broker epoch", func(q q, _ p) { q.BrokerEpoch-- }, me)
	edited("wrong broker epoch", func(q q, _ p) { q.BrokerEpoch += 1000 }, me)
	edited("negative broker epoch", func(q q, _ p) { q.BrokerEpoch = -1 }, me)
	edited("another broker's epoch", func(q q, _ p) { q.BrokerID = node }, me)
	edited("no topics", func(q q, _ p) { q.Topics = nil })
	edited("no partitions", func(q q, _ p) { q.Topics[0].Partitions = nil })
	edited("unknown topic", func(q q, _ p) { q.Topics[0].TopicID = incarnation(77) }, me)
	edited("zero topic", func(q q, _ p) { q.Topics[0].TopicID = [16]byte{} }, me)
	edited("unknown partition", func(_ q, p p) { p.Partition = 9 }, me)
	edited("negative partition", func(_ q, p p) { p.Partition = -1 }, me)
	edited("does not lead", func(_ q, p p) { p.Partition = 1 }, me)
	edited("old leader epoch", func(_ q, p p) { p.LeaderEpoch = -1 }, me)
	edited("later leader epoch", func(_ q, p p) { p.LeaderEpoch = 5 }, me)
	edited("old partition epoch", func(_ q, p p) { p.PartitionEpoch = -1 }, me)
	edited("later partition epoch", func(_ q, p p) { p.PartitionEpoch = 5 }, me)
	edited("nobody in sync", func(q, p) {})
	edited("without the leader", func(q, p) {}, node)
	edited("a node twice", func(q, p) {}, me, me)
	edited("no replica", func(q, p) {}, me, 4242)
	edited("negative replica", func(q, p) {}, me, -1)
	edited("recovers, and need not", func(_ q, p p) { p.LeaderRecoveryState = 1 }, me)
	edited("recovers, with a follower in sync", func(_ q, p p) { p.LeaderRecoveryState = 1 }, me, node)
	edited("as it is", func(q, p) {}, me, node)
	edited("shrink", func(_ q, p p) { p.PartitionEpoch = 1 }, me)
	edited("shrink again with the same epoch", func(_ q, p p) { p.PartitionEpoch = 1 }, me)
	if r.version >= 3 {
		edited("grow by a stale follower", func(_ q, p p) { p.PartitionEpoch, p.NewEpochISR[1].BrokerEpoch = 2, 1 }, me, node)
	}
	edited("grow", func(_ q, p p) { p.PartitionEpoch = 2 }, me, node)
	r.fences(epoch, true)
	edited("fenced, as the leader that it was", func(_ q, p p) { p.PartitionEpoch = 3 }, me)
	edited("fenced, with the epoch of its follower", func(_ q, p p) { p.LeaderEpoch, p.PartitionEpoch = 1, 4 }, me)
}
