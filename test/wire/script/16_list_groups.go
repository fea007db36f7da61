package script

import "github.com/twmb/franz-go/pkg/kmsg"

func listGroupsRequest(states, types []string) *kmsg.ListGroupsRequest {
	req := kmsg.NewPtrListGroupsRequest()
	req.StatesFilter, req.TypesFilter = append([]string{}, states...), append([]string{}, types...)
	return req
}

func listGroupsSample(*run) kmsg.Request { return listGroupsRequest([]string{"NoSuchState"}, nil) }

func listGroups(r *run) {
	r.make(newTopic(r.name("a"), 1))
	r.do("no groups", listGroupsRequest(nil, nil))
	r.eachState(func(s groupState) {
		if s.name == "preparing" {
			r.do("while it prepares", listGroupsRequest(nil, nil))
		}
	})
	r.commit("simple", "a", 0, 5)
	r.stable("connect", typed("connect"))
	r.consumer("modern")
	c := r.consumer("left")
	c.leave()
	list := func(name string, states, types []string) { r.do(name, listGroupsRequest(states, types)) }
	list("all", nil, nil)
	if r.version >= 4 {
		for _, s := range []string{"Empty", "Stable", "stable", "PreparingRebalance", "preparing_rebalance", "CompletingRebalance", "Dead", "Assigning",
			"Reconciling", "NotReady", "Unknown", "", "nonsense"} {
			list("state "+fieldKey(s), []string{s}, nil)
		}
		list("two states", []string{"Stable", "Empty"}, nil)
		list("a state twice", []string{"Stable", "Stable"}, nil)
		list("known and unknown state", []string{"Stable", "nonsense"}, nil)
	}
	if r.version >= 5 {
		for _, s := range []string{"classic", "consumer", "Consumer", "CLASSIC", "share", "streams", "unknown", "", "nonsense"} {
			list("type "+fieldKey(s), nil, []string{s})
		}
		list("two types", nil, []string{"classic", "consumer"})
		list("known and unknown type", nil, []string{"classic", "nonsense"})
		list("state and type", []string{"Stable"}, []string{"consumer"})
		list("state and type that exclude each other", []string{"Assigning"}, []string{"classic"})
	}
	r.must(deleteGroupsRequest(r.name("simple"), r.name("empty")))
	list("after deletion", nil, nil)
}
