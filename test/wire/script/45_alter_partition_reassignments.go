package script

import "github.com/twmb/franz-go/pkg/kmsg"

// move is a partition's new replicas; nil cancels.
type move struct {
	topic     string
	partition int32
	replicas  []int32
}

func reassignRequest(r *run, moves ...move) *kmsg.AlterPartitionAssignmentsRequest {
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	req.TimeoutMillis = 10_000
	for _, m := range moves {
		p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		p.Partition, p.Replicas = m.partition, m.replicas
		t := kmsg.NewAlterPartitionAssignmentsRequestTopic()
		t.Topic, t.Partitions = r.name(m.topic), append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
	}
	return req
}

func alterPartitionReassignmentsSample(r *run) kmsg.Request { return reassignRequest(r) }

func alterPartitionReassignments(r *run) {
	r.make(newTopic(r.name("a"), 2))
	n := r.target.NodeID
	to := func(name string, moves ...move) { r.do(name, reassignRequest(r, moves...)) }
	to("nothing")
	to("where it is", move{"a", 0, []int32{n}})
	to("unknown topic", move{"none", 0, []int32{n}})
	to("unknown partition", move{"a", 9, []int32{n}})
	to("negative partition", move{"a", -1, []int32{n}})
	to("unknown node", move{"a", 0, []int32{4242}})
	to("negative node", move{"a", 0, []int32{-1}})
	to("a node twice", move{"a", 0, []int32{n, n}})
	to("no nodes", move{"a", 0, []int32{}})
	to("cancel what is not", move{"a", 0, nil})
	to("good and bad", move{"a", 0, []int32{n}}, move{"a", 1, []int32{4242}}, move{"none", 1, nil})
	if r.version >= 1 {
		keep := reassignRequest(r, move{"a", 0, []int32{n}})
		keep.AllowReplicationFactorChange = false
		r.do("keep the factor", keep)
		keep = reassignRequest(r, move{"a", 0, []int32{n, 4242}})
		keep.AllowReplicationFactorChange = false
		r.do("keep the factor, more, and an unknown node", keep)
	}
	empty := reassignRequest(r, move{"a", 0, nil})
	empty.Topics[0].Partitions = nil
	r.do("no partitions", empty)
	zero := reassignRequest(r, move{"a", 0, []int32{n}})
	zero.TimeoutMillis = 0
	r.do("timeout 0", zero)
}

func reassignmentsRequest(r *run, moves ...move) *kmsg.ListPartitionReassignmentsRequest {
	req := kmsg.NewPtrListPartitionReassignmentsRequest()
	req.TimeoutMillis = 10_000
	for _, m := range moves {
		t := kmsg.NewListPartitionReassignmentsRequestTopic()
		t.Topic, t.Partitions = r.name(m.topic), []int32{m.partition}
		req.Topics = append(req.Topics, t)
	}
	return req
}

func listPartitionReassignmentsSample(r *run) kmsg.Request { return reassignmentsRequest(r) }

func listPartitionReassignments(r *run) {
	r.make(newTopic(r.name("a"), 1))
	of := func(name string, moves ...move) { r.do(name, reassignmentsRequest(r, moves...)) }
	of("all", []move(nil)...)
	none := reassignmentsRequest(r)
	none.Topics = []kmsg.ListPartitionReassignmentsRequestTopic{}
	r.do("none", none)
	of("one", move{"a", 0, nil})
	of("unknown topic", move{"none", 0, nil})
	of("unknown partition", move{"a", 9, nil})
}

func electLeadersRequest(r *run, kind int8, topic string, partitions ...int32) *kmsg.ElectLeadersRequest {
	t := kmsg.NewElectLeadersRequestTopic()
	t.Topic, t.Partitions = r.name(topic), partitions
	req := kmsg.NewPtrElectLeadersRequest()
	req.ElectionType, req.TimeoutMillis = kind, 10_000
	req.Topics = append(req.Topics, t)
	return req
}

func electLeadersSample(*run) kmsg.Request {
	req := kmsg.NewPtrElectLeadersRequest()
	req.Topics, req.TimeoutMillis = []kmsg.ElectLeadersRequestTopic{}, 10_000
	return req
}

func electLeaders(r *run) {
	r.make(newTopic(r.name("a"), 2))
	of := func(name string, kind int8, topic string, partitions ...int32) {
		r.do(name, electLeadersRequest(r, kind, topic, partitions...))
	}
	const preferred, unclean = 0, 1
	r.do("no topics", electLeadersSample(r))
	of("who leads already", preferred, "a", 0, 1)
	of("unknown topic", preferred, "none", 0)
	of("unknown partition", preferred, "a", 7)
	of("negative partition", preferred, "a", -1)
	of("good and bad", preferred, "a", 0, 7)
	if r.version >= 1 { // version 0 has no kinds
		of("unclean, and it has a leader", unclean, "a", 0)
		of("unclean, unknown topic", unclean, "none", 0)
		of("unknown kind", 9, "a", 0)
	}
	zero := electLeadersRequest(r, preferred, "a", 0)
	zero.TimeoutMillis = 0
	r.do("timeout 0", zero)
}

// reassigned has partitions move to the second broker and back; follow has it fetch a partition up to the end.
func reassigned(r *run, epoch int64) {
	one := r.target.NodeID
	r.make(assigned(r.name("moves"), []int32{one}, []int32{one}))
	r.barrier()
	state := func(name string) {
		r.at(broker, 0, name+": in flight", reassignmentsRequest(r, move{"moves", 0, nil}))
		r.barrier()
		r.at(broker, 0, name, describeTopicPartitionsRequest(r.name("moves")))
	}
	to := func(name string, moves ...move) {
		r.at(broker, 1, name, reassignRequest(r, moves...))
		state(name + ", after it")
	}
	caughtUp := func(partition, leaderEpoch int32) {
		req := fetchRequest(r, wanted{"moves", partition, 0, func(p *kmsg.FetchRequestTopicPartition) {
			p.CurrentLeaderEpoch, p.LastFetchedEpoch, p.LogStartOffset = leaderEpoch, -1, 0
		}})
		req.ReplicaState.ID, req.ReplicaState.Epoch = second, epoch
		r.at(broker, 17, "the second fetches", req)
	}
	to("a replica more", move{"moves", 0, []int32{one, second}})
	to("the same again", move{"moves", 0, []int32{one, second}})
	to("cancel", move{"moves", 0, nil})
	to("cancel again", move{"moves", 0, nil})
	to("to the other one", move{"moves", 0, []int32{second}})
	to("where it was", move{"moves", 0, []int32{one}})
	to("cancel that", move{"moves", 0, nil})
	keep := reassignRequest(r, move{"moves", 1, []int32{one, second}})
	keep.AllowReplicationFactorChange = false
	r.at(broker, 1, "keep the factor, one more", keep)
	to("a replica more of the next", move{"moves", 1, []int32{second, one}})
	caughtUp(1, 0)
	if err := r.await("the move", func() (bool, error) {
		resp, err := r.askAt(broker, 0, reassignmentsRequest(r, move{"moves", 1, nil}))
		return err == nil && len(resp.(*kmsg.ListPartitionReassignmentsResponse).Topics) == 0, err
	}); err != nil {
		r.fail("%w", err)
	}
	r.barrier()
	state("moved")
	r.at(broker, 2, "the first replica leads", electLeadersRequest(r, 0, "moves", 1))
	r.barrier()
	state("elected")
	to("one less", move{"moves", 1, []int32{one}})
}
