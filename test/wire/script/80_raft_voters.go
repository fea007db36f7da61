package script

import "github.com/twmb/franz-go/pkg/kmsg"

// strangeDirectory is the directory of a voter that is not there.
var strangeDirectory = [16]byte{0: 7, 6: 0x40, 8: 0x80}

func addRaftVoterSample(*run) kmsg.Request {
	l := kmsg.NewAddRaftVoterRequestListener()
	l.Name, l.Host, l.Port = "CONTROLLER", "127.0.0.1", 1
	req := kmsg.NewPtrAddRaftVoterRequest()
	req.TimeoutMillis, req.VoterID, req.VoterDirectoryID = 1000, 77, strangeDirectory
	req.Listeners = append(req.Listeners, l)
	return req
}

func addRaftVoter(r *run) {
	edited := func(name string, edit func(*kmsg.AddRaftVoterRequest)) {
		req := addRaftVoterSample(r).(*kmsg.AddRaftVoterRequest)
		edit(req)
		r.do(name, req)
	}
	type q = *kmsg.AddRaftVoterRequest
	edited("one that is not there", func(q) {})
	edited("right cluster", func(q q) { q.ClusterID = ptr(r.target.ClusterID) })
	edited("wrong cluster", func(q q) { q.ClusterID = ptr("other") })
	edited("empty cluster", func(q q) { q.ClusterID = ptr("") })
	edited("no listeners", func(q q) { q.Listeners = nil })
	edited("another listener", func(q q) { q.Listeners[0].Name = "OTHER" })
	edited("listener twice", func(q q) { q.Listeners = append(q.Listeners, q.Listeners[0]) })
	edited("no host", func(q q) { q.Listeners[0].Host = "" })
	edited("no directory", func(q q) { q.VoterDirectoryID = [16]byte{} })
	edited("negative id", func(q q) { q.VoterID = -1 })
	edited("the voter that is", func(q q) { q.VoterID = 1 })
	edited("no time", func(q q) { q.TimeoutMillis = 0 })
	edited("negative time", func(q q) { q.TimeoutMillis = -1 })
	edited("answered early", func(q q) { q.AckWhenCommitted = false })
}

func removeRaftVoterSample(*run) kmsg.Request {
	req := kmsg.NewPtrRemoveRaftVoterRequest()
	req.VoterID, req.VoterDirectoryID = 77, strangeDirectory
	return req
}

func removeRaftVoter(r *run) {
	edited := func(name string, edit func(*kmsg.RemoveRaftVoterRequest)) {
		req := removeRaftVoterSample(r).(*kmsg.RemoveRaftVoterRequest)
		edit(req)
		r.do(name, req)
	}
	type q = *kmsg.RemoveRaftVoterRequest
	edited("one that is not there", func(q) {})
	edited("right cluster", func(q q) { q.ClusterID = ptr(r.target.ClusterID) })
	edited("wrong cluster", func(q q) { q.ClusterID = ptr("other") })
	edited("empty cluster", func(q q) { q.ClusterID = ptr("") })
	edited("no directory", func(q q) { q.VoterDirectoryID = [16]byte{} })
	edited("negative id", func(q q) { q.VoterID = -1 })
	edited("the voter that is, with another directory", func(q q) { q.VoterID = 1 })
}

func updateRaftVoterSample(r *run) kmsg.Request {
	l := kmsg.NewUpdateRaftVoterRequestListener()
	l.Name, l.Host, l.Port = "CONTROLLER", "127.0.0.1", 1
	req := kmsg.NewPtrUpdateRaftVoterRequest()
	req.CurrentLeaderEpoch, req.VoterID, req.VoterDirectoryID = -1, 77, strangeDirectory
	req.KRaftVersionFeature.MaxSupportedVersion = 1
	req.Listeners = append(req.Listeners, l)
	return req
}

func updateRaftVoter(r *run) {
	epoch := r.leaderEpoch()
	edited := func(name string, edit func(*kmsg.UpdateRaftVoterRequest)) {
		req := updateRaftVoterSample(r).(*kmsg.UpdateRaftVoterRequest)
		req.CurrentLeaderEpoch = epoch
		edit(req)
		r.do(name, req)
	}
	type q = *kmsg.UpdateRaftVoterRequest
	edited("one that is not there", func(q) {})
	edited("right cluster", func(q q) { q.ClusterID = ptr(r.target.ClusterID) })
	edited("wrong cluster", func(q q) { q.ClusterID = ptr("other") })
	edited("no epoch", func(q q) { q.CurrentLeaderEpoch = -1 })
	edited("epoch too high", func(q q) { q.CurrentLeaderEpoch = epoch + 4 })
	edited("epoch 0", func(q q) { q.CurrentLeaderEpoch = 0 })
	edited("no listeners", func(q q) { q.Listeners = nil })
	edited("no directory", func(q q) { q.VoterDirectoryID = [16]byte{} })
	edited("negative id", func(q q) { q.VoterID = -1 })
	edited("versions that are none", func(q q) { q.KRaftVersionFeature.MinSupportedVersion = 5 })
	edited("negative versions", func(q q) { q.KRaftVersionFeature.MinSupportedVersion = -1 })
}
