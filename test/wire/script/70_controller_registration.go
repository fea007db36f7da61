package script

import "github.com/twmb/franz-go/pkg/kmsg"

func controllerRegistrationRequest() *kmsg.ControllerRegistrationRequest {
	req := kmsg.NewPtrControllerRegistrationRequest()
	req.ControllerID, req.IncarnationID = 4242, incarnation(5)
	l := kmsg.NewControllerRegistrationRequestListener()
	l.Name, l.Host, l.Port = "CONTROLLER", "127.0.0.1", 1
	req.Listeners = append(req.Listeners, l)
	for _, b := range brokerFeatures {
		f := kmsg.NewControllerRegistrationRequestFeature()
		f.Name, f.MinSupportedVersion, f.MaxSupportedVersion = b.name, b.min, b.max
		req.Features = append(req.Features, f)
	}
	return req
}

func controllerRegistrationSample(*run) kmsg.Request {
	req := controllerRegistrationRequest()
	req.Features[0].MaxSupportedVersion = 20
	return req
}

// controllerRegistration is a controller that does not exist and is no voter.
func controllerRegistration(r *run) {
	edited := func(name string, edit func(*kmsg.ControllerRegistrationRequest)) {
		req := controllerRegistrationRequest()
		edit(req)
		r.do(name, req)
	}
	type q = *kmsg.ControllerRegistrationRequest
	edited("feature too low", func(q q) { q.Features[0].MaxSupportedVersion = 20 })
	edited("feature too high", func(q q) { q.Features[0].MinSupportedVersion, q.Features[0].MaxSupportedVersion = 40, 50 })
	edited("feature range upside down", func(q q) { q.Features[0].MinSupportedVersion, q.Features[0].MaxSupportedVersion = 33, 7 })
	edited("no features", func(q q) { q.Features = nil })
	edited("a feature missing", func(q q) { q.Features = q.Features[:3] })
	edited("no listeners", func(q q) { q.Listeners = nil })
	edited("a listener twice", func(q q) { q.Listeners = append(q.Listeners, q.Listeners[0]) })
	edited("ready to migrate from ZooKeeper", func(q q) { q.ZkMigrationReady = true })
	edited("zero incarnation", func(q q) { q.IncarnationID = [16]byte{} })
	edited("no voter", func(q) {})
	edited("again", func(q) {})
	edited("another incarnation", func(q q) { q.IncarnationID = incarnation(6) })
	edited("negative", func(q q) { q.ControllerID = -1 })
}
