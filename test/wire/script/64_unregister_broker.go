package script

import "github.com/twmb/franz-go/pkg/kmsg"

func unregisterRequest(id int32) *kmsg.UnregisterBrokerRequest {
	req := kmsg.NewPtrUnregisterBrokerRequest()
	req.BrokerID = id
	return req
}

func unregisterBrokerSample(*run) kmsg.Request { return unregisterRequest(9999) }

func unregisterBroker(r *run) {
	r.do("unknown", unregisterRequest(9999))
	r.do("negative", unregisterRequest(-1))
	epoch := r.register()
	r.do("fenced", unregisterRequest(r.newBroker()))
	r.do("again", unregisterRequest(r.newBroker()))
	r.at(controller, 2, "a heartbeat of the one that is gone", caughtUp(r, epoch, false))
	epoch = r.register()
	r.fences(epoch, false)
	r.do("alive", unregisterRequest(r.newBroker()))
	r.at(controller, 2, "a heartbeat of it", caughtUp(r, epoch, false))
}
