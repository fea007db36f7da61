package script

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// second is the id of a broker that the script plays itself.
const second = 301

// twoBrokers plays a second broker beside the node: it registers, is a replica, fetches, and leaves in good order.
// What the controller and the leader make of it is recorded.
func twoBrokers(r *run) {
	epoch := r.second()
	r.barrier() // the node answers for what has reached it
	beat := func(shutdown bool) *kmsg.BrokerHeartbeatRequest {
		req := kmsg.NewPtrBrokerHeartbeatRequest()
		req.BrokerID, req.BrokerEpoch, req.CurrentMetadataOffset = second, epoch, 1<<40
		req.WantFence, req.WantShutdown = false, shutdown
		req.SetVersion(2)
		return req
	}
	cluster := func(name string) {
		req := kmsg.NewPtrDescribeClusterRequest()
		req.EndpointType, req.IncludeFencedBrokers = 1, true
		resp, err := r.askAt(broker, 2, req)
		if err != nil {
			r.fail("%w", err)
		}
		// Other cases' brokers are none of these.
		d := resp.(*kmsg.DescribeClusterResponse)
		kept := d.Brokers[:0]
		for _, b := range d.Brokers {
			if b.NodeID == second || b.NodeID == r.target.NodeID {
				kept = append(kept, b)
			}
		}
		d.Brokers, d.ControllerID = kept, -1
		rr := r.renderer()
		rr.api = d.Key()
		r.entry(name, rr.answer(d))
	}
	state := func(name string) {
		r.at(broker, 0, name, describeTopicPartitionsRequest(r.name("two"), r.name("alone")))
	}
	cluster("fenced")
	one := r.target.NodeID
	r.at(broker, 4, "create while it is fenced", createTopicsRequest(assigned(r.name("early"), []int32{one, second})))
	r.at(broker, 0, "made while it is fenced", describeTopicPartitionsRequest(r.name("early")))
	r.at(controller, 2, "unfence", beat(false))
	r.barrier()
	cluster("unfenced")
	r.at(broker, 7, "create", createTopicsRequest(
		assigned(r.name("two"), []int32{one, second}, []int32{second, one}), assigned(r.name("alone"), []int32{second})))
	r.barrier()
	state("made")
	r.at(broker, 9, "produce to the other's partition", produceRequest(r.name("two"), r.id("two"), 1, part{1, records{count: 1}.batch()}))
	r.at(broker, 13, "produce to the other's partition, by id", produceRequest(r.name("two"), r.id("two"), 1, part{1, records{count: 1}.batch()}))
	r.at(broker, 17, "fetch from the other's partition", fetchRequest(r, wanted{"two", 1, 0, nil}))
	r.at(broker, 11, "fetch from the other's partition, version 11", fetchRequest(r, wanted{"two", 1, 0, nil}))
	r.at(broker, 8, "fetch from the other's partition, version 8", fetchRequest(r, wanted{"two", 1, 0, nil}))
	r.at(broker, 11, "list offsets of the other's partition", listOffsetsRequest(r.name("two"), 1, -1))
	r.at(broker, 2, "delete records of the other's partition", deleteRecordsRequest(r.name("two"), 1, 0))
	twoReplicas(r, epoch)
	if err := r.await("the shutdown", func() (bool, error) {
		resp, err := r.ask(controller, beat(true))
		return err == nil && resp.(*kmsg.BrokerHeartbeatResponse).ShouldShutdown, err
	}); err != nil {
		r.fail("%w", err)
	}
	r.barrier()
	r.at(controller, 2, "may shut down", beat(true))
	cluster("after")
	state("after")
	r.at(broker, 9, "produce to what was the other's", produceRequest(r.name("two"), r.id("two"), -1, part{1, records{count: 1}.batch()}))
	r.at(broker, 4, "epochs", offsetForLeaderEpochRequest(r.name("two"), 1, -1, 0))
	stale := fetchRequest(r, wanted{"two", 1, 0, func(p *kmsg.FetchRequestTopicPartition) { p.CurrentLeaderEpoch = 0 }})
	r.at(broker, 17, "fetch with the old epoch", stale)
	r.at(broker, 12, "fetch with an older last epoch", fetchRequest(r, wanted{"two", 1, 1, func(p *kmsg.FetchRequestTopicPartition) { p.LastFetchedEpoch = 0 }}))
	r.at(broker, 9, "produce to what nobody leads", produceRequest(r.name("alone"), r.id("alone"), -1, part{0, records{count: 1}.batch()}))
	r.at(broker, 12, "metadata at the end", metadataRequest(r.name("two"), r.name("alone")))
}

// second registers the script's own broker and gives its epoch.
func (r *run) second() int64 {
	req := brokerRegistrationRequest(r)
	req.BrokerID, req.LogDirs = second, [][16]byte{directory(second)}
	resp, err := r.askAt(controller, 4, req)
	if err != nil {
		r.fail("%w", err)
	}
	if code := resp.(*kmsg.BrokerRegistrationResponse).ErrorCode; code != 0 {
		r.fail("register: %s", errorName(code))
	}
	return resp.(*kmsg.BrokerRegistrationResponse).BrokerEpoch
}

// askAt is ask at a version.
func (r *run) askAt(l listener, version int16, req kmsg.Request) (kmsg.Response, error) {
	req.SetVersion(version)
	return r.ask(l, req)
}

// twoReplicas lets the second broker follow partition 0, which the node leads.
func twoReplicas(r *run, epoch int64) {
	follow := func(name string, offset int64, last int32) {
		req := fetchRequest(r, wanted{"two", 0, offset, func(p *kmsg.FetchRequestTopicPartition) {
			p.CurrentLeaderEpoch, p.LastFetchedEpoch, p.LogStartOffset = 0, last, 0
		}})
		req.ReplicaState.ID, req.ReplicaState.Epoch = second, epoch
		r.at(broker, 17, name, req)
	}
	write := func(timeout int32) *kmsg.ProduceRequest {
		req := produceRequest(r.name("two"), r.id("two"), -1, part{0, records{count: 1}.batch()})
		req.TimeoutMillis = timeout
		req.SetVersion(9)
		return req
	}
	follow("follow: nothing yet", 0, -1)
	r.at(broker, 9, "acks all in vain", write(50))
	r.at(broker, 11, "latest before it is followed", listOffsetsRequest(r.name("two"), 0, -1))
	r.at(broker, 12, "read before it is followed", fetchRequest(r, wanted{"two", 0, 0, nil}))
	follow("follow: read", 0, -1)
	follow("follow: caught up", 1, 0)
	r.at(broker, 12, "read once it is followed", fetchRequest(r, wanted{"two", 0, 0, nil}))
	r.meanwhile(broker, "acks all, followed meanwhile", write(10_000), func() {
		r.settle()
		follow("follow: read the second", 1, 0)
		follow("follow: caught up again", 2, 0)
	})
	follow("follow: past the end", 9, 0)
	follow("follow: another epoch", 2, 5)
	stale := fetchRequest(r, wanted{"two", 0, 2, nil})
	stale.ReplicaState.ID, stale.ReplicaState.Epoch = second, epoch-1
	r.at(broker, 17, "follow: as an earlier broker", stale)
	reassigned(r, epoch)
}
