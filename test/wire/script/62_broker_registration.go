package script

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// newBroker is the id of the broker that the script registers at a version.
func (r *run) newBroker() int32 { return 100 + 10*int32(r.api.key-60) + int32(r.version) }

// incarnation is some process identity.
func incarnation(n byte) [16]byte { return [16]byte{0x11, 0x22, 6: 0x40, 8: 0x80, 15: n} }

// directory is the id of the one log directory of a broker.
func directory(broker int32) [16]byte {
	id := [16]byte{0x33, 6: 0x40, 8: 0x80}
	binary.BigEndian.PutUint32(id[12:], uint32(broker))
	return id
}

// brokerFeatures are the ranges of a broker that fits a 4.4 cluster.
var brokerFeatures = []struct {
	name     string
	min, max int16
}{
	{"metadata.version", 7, 33}, {"kraft.version", 0, 1}, {"transaction.version", 0, 2}, {"group.version", 0, 1},
	{"eligible.leader.replicas.version", 0, 1}, {"share.version", 0, 2}, {"streams.version", 0, 1},
}

func brokerRegistrationRequest(r *run) *kmsg.BrokerRegistrationRequest {
	req := kmsg.NewPtrBrokerRegistrationRequest()
	req.BrokerID, req.ClusterID, req.IncarnationID = r.newBroker(), r.target.ClusterID, incarnation(1)
	l := kmsg.NewBrokerRegistrationRequestListener()
	l.Name, l.Host, l.Port = "PLAINTEXT", "127.0.0.1", 1
	req.Listeners = append(req.Listeners, l)
	for _, f := range brokerFeatures {
		bf := kmsg.NewBrokerRegistrationRequestFeature()
		bf.Name, bf.MinSupportedVersion, bf.MaxSupportedVersion = f.name, f.min, f.max
		req.Features = append(req.Features, bf)
	}
	req.LogDirs = [][16]byte{directory(req.BrokerID)}
	req.PreviousBrokerEpoch = -1
	return req
}

func brokerRegistrationSample(r *run) kmsg.Request {
	req := brokerRegistrationRequest(r)
	req.ClusterID = "other"
	return req
}

func brokerRegistration(r *run) {
	edited := func(name string, edit func(*kmsg.BrokerRegistrationRequest)) {
		req := brokerRegistrationRequest(r)
		edit(req)
		r.do(name, req)
	}
	type q = *kmsg.BrokerRegistrationRequest
	other := func(q q, by int32) {
		q.BrokerID += by
		q.LogDirs = [][16]byte{directory(q.BrokerID)}
	}
	edited("wrong cluster", func(q q) { q.ClusterID = "other" })
	edited("empty cluster", func(q q) { q.ClusterID = "" })
	edited("no features", func(q q) { q.Features = nil })
	edited("feature too low", func(q q) { q.Features[0].MaxSupportedVersion = 20 })
	edited("feature too high", func(q q) { q.Features[0].MinSupportedVersion, q.Features[0].MaxSupportedVersion = 40, 50 })
	edited("a feature missing", func(q q) { q.Features = q.Features[:3] })
	edited("feature range upside down", func(q q) { q.Features[0].MinSupportedVersion, q.Features[0].MaxSupportedVersion = 33, 7 })
	edited("no directories", func(q q) { q.LogDirs = nil })
	edited("directory twice", func(q q) { q.LogDirs = append(q.LogDirs, q.LogDirs[0]) })
	edited("zero directory", func(q q) { q.LogDirs = [][16]byte{{}} })
	edited("migrating from ZooKeeper", func(q q) { q.IsMigratingZkBroker = true })
	edited("ordinary", func(q) {})
	edited("the same again", func(q) {})
	edited("another incarnation", func(q q) { q.IncarnationID = incarnation(2) })
	edited("directory of another broker", func(q q) { q.BrokerID += 500 }) // the same directory
	edited("zero incarnation", func(q q) {
		q.BrokerID, q.IncarnationID, q.LogDirs = q.BrokerID+300, [16]byte{}, [][16]byte{incarnation(100 + byte(r.version))}
	})
	edited("no listeners", func(q q) {
		q.BrokerID, q.Listeners, q.LogDirs = q.BrokerID+400, nil, [][16]byte{incarnation(110 + byte(r.version))}
	})
	edited("unknown extra feature", func(q q) {
		f := q.Features[0]
		f.Name = "no.such.feature"
		q.Features = append(q.Features, f)
		other(q, 600)
	})
	edited("negative id", func(q q) { other(q, -q.BrokerID-1-int32(r.version)) })
	edited("the controller's own id", func(q q) { q.BrokerID = r.target.NodeID })
}

// register makes a broker known and gives its epoch.
func (r *run) register() int64 {
	req := brokerRegistrationRequest(r)
	req.SetVersion(4)
	resp, err := r.ask(controller, req)
	if err != nil {
		r.fail("%w", err)
	}
	if code := resp.(*kmsg.BrokerRegistrationResponse).ErrorCode; code != 0 {
		r.fail("register broker: %s", errorName(code))
	}
	return resp.(*kmsg.BrokerRegistrationResponse).BrokerEpoch
}

func brokerHeartbeatSample(*run) kmsg.Request {
	req := kmsg.NewPtrBrokerHeartbeatRequest()
	req.BrokerID, req.BrokerEpoch, req.WantFence = 9999, 1, true
	return req
}

func brokerHeartbeat(r *run) {
	epoch := r.register()
	beat := func(name string, edit func(*kmsg.BrokerHeartbeatRequest)) {
		req := kmsg.NewPtrBrokerHeartbeatRequest()
		req.BrokerID, req.BrokerEpoch, req.CurrentMetadataOffset, req.WantFence = r.newBroker(), epoch, -1, true
		edit(req)
		r.do(name, req)
	}
	type q = *kmsg.BrokerHeartbeatRequest
	beat("unknown broker", func(q q) { q.BrokerID = 9999 })
	beat("negative broker", func(q q) { q.BrokerID = -1 })
	beat("wrong epoch", func(q q) { q.BrokerEpoch += 1000 })
	beat("old epoch", func(q q) { q.BrokerEpoch -= 1 })
	beat("negative epoch", func(q q) { q.BrokerEpoch = -1 })
	beat("another broker's epoch", func(q q) { q.BrokerID = r.target.NodeID })
	beat("wants to stay fenced", func(q q) {})
	beat("behind, does not want to be fenced", func(q q) { q.WantFence = false })
	beat("caught up, wants to stay fenced", func(q q) { q.CurrentMetadataOffset = 1 << 40 })
	if r.version >= 1 {
		beat("unknown directory offline", func(q q) { q.OfflineLogDirs = [][16]byte{incarnation(99)} })
	}
	if r.version >= 2 {
		beat("unknown directory cordoned", func(q q) { q.CordonedLogDirs = [][16]byte{incarnation(99)} })
	}
	beat("caught up, does not want to be fenced", func(q q) { q.CurrentMetadataOffset, q.WantFence = 1<<40, false })
	beat("again", func(q q) { q.CurrentMetadataOffset, q.WantFence = 1<<40, false })
	beat("wants to be fenced again", func(q q) { q.CurrentMetadataOffset = 1 << 40 })
	beat("wants to shut down", func(q q) { q.CurrentMetadataOffset, q.WantShutdown = 1<<40, true })
}

func allocateProducerIDsSample(*run) kmsg.Request {
	req := kmsg.NewPtrAllocateProducerIDsRequest()
	req.BrokerID, req.BrokerEpoch = 9999, 1
	return req
}

func allocateProducerIDs(r *run) {
	epoch := r.register()
	get := func(name string, broker int32, epoch int64) {
		req := kmsg.NewPtrAllocateProducerIDsRequest()
		req.BrokerID, req.BrokerEpoch = broker, epoch
		r.do(name, req)
	}
	get("ordinary", r.newBroker(), epoch)
	get("again", r.newBroker(), epoch)
	get("wrong epoch", r.newBroker(), epoch+100)
	get("negative epoch", r.newBroker(), -1)
	get("unknown broker", 9999, epoch)
	get("negative broker", -1, epoch)
	get("another broker's epoch", r.target.NodeID, epoch)
}
