package script

import "github.com/twmb/franz-go/pkg/kmsg"

func listConfigResourcesSample(*run) kmsg.Request { return kmsg.NewPtrListConfigResourcesRequest() }

func listConfigResources(r *run) {
	r.make(newTopic(r.name("a"), 1))
	of := func(name string, types ...int8) {
		req := kmsg.NewPtrListConfigResourcesRequest()
		req.ResourceTypes = types
		r.do(name, req)
	}
	of("no types")
	if r.version < 1 {
		return
	}
	of("topics", 2)
	of("brokers", 4)
	of("broker loggers", 8)
	of("client metrics", 16)
	of("groups", 32)
	of("topics and brokers", 2, 4)
	of("topics twice", 2, 2)
	of("unknown type", 7)
	of("type 0", 0)
	of("known and unknown type", 2, 7)
	of("negative type", -1)
}
