package script

import "github.com/twmb/franz-go/pkg/kmsg"

// coordinatorTries bounds how often a coordinator is asked for that a node may not have.
const coordinatorTries = 100

// awaitCoordinator waits until a coordinator is there, whose topic is made at the first question.
func (r *run) awaitCoordinator(kind int8, key string) {
	tries := 0
	err := r.await("a coordinator", func() (bool, error) {
		tries++
		resp, err := r.askNewest(findCoordinatorRequest(6, kind, key))
		if err != nil {
			return false, err
		}
		c := resp.(*kmsg.FindCoordinatorResponse).Coordinators[0]
		return c.ErrorCode == 0 || tries == coordinatorTries, nil
	})
	if err != nil {
		r.fail("%w", err)
	}
}

// findCoordinatorRequest asks for the coordinators of keys; below version 4 there is room for one.
func findCoordinatorRequest(version int16, kind int8, keys ...string) *kmsg.FindCoordinatorRequest {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorType = kind
	if version < 4 {
		req.CoordinatorKey = keys[0]
	} else {
		req.CoordinatorKeys = keys
	}
	return req
}

func findCoordinatorSample(r *run) kmsg.Request {
	return findCoordinatorRequest(r.version, 0, "sample")
}

func findCoordinator(r *run) {
	share := "g:" + uuidText(strangeID) + ":0"
	r.awaitCoordinator(1, "t")
	r.awaitCoordinator(2, share)
	find := func(name string, kind int8, keys ...string) {
		r.do(name, findCoordinatorRequest(r.version, kind, keys...))
	}
	find("group", 0, r.name("g"))
	find("empty group", 0, "")
	find("odd group", 0, "a b/ü\x00")
	find("long group", 0, long(300))
	if r.version >= 1 {
		find("unknown type", 7, "a")
		find("negative type", -1, "a")
		find("transaction", 1, "t")
		find("transaction, empty", 1, "")
		find("share", 2, share)
		find("share, no key", 2, "")
		find("share, one part", 2, "a")
		find("share, no topic id", 2, "g:a:0")
		find("share, no partition", 2, "g:"+uuidText(strangeID)+":x")
		find("share, no group", 2, ":"+uuidText(strangeID)+":0")
		find("share, four parts", 2, "g:h:"+uuidText(strangeID)+":0")
	}
	if r.version >= 4 {
		find("no keys", 0)
		find("two groups", 0, r.name("g"), r.name("h"))
		find("the same group twice", 0, r.name("g"), r.name("g"))
		find("good and empty", 0, r.name("g"), "")
		find("unknown type, two keys", 7, "a", "b")
		find("share, good and bad", 2, "g", "g:"+uuidText(strangeID)+":x")
	}
}
