package script

import (
	"fmt"
	"regexp"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// groupAPIs are the keys whose cases need a coordinator, with the version at which cases of other keys ask them:
// the newest that names topics.
var groupAPIs = map[int16]int16{8: 9, 9: 9, 10: 6, 11: 9, 12: 4, 13: 5, 14: 5, 15: 6, 16: 5, 42: 3, 47: 0, 68: 1, 69: 1}

// coordinate waits until the broker coordinates groups, for which it makes a topic at the first question.
// Without a coordinator there is nothing to play, which becomes an entry.
func (p *player) coordinate(a api) (ok bool) {
	if !p.coordinates {
		p.guard(a, a.min, func(r *run) {
			r.awaitGroups()
			p.coordinates = true
		})
	}
	return p.coordinates
}

func (r *run) awaitGroups() {
	if err := r.await("a coordinator", r.findsCoordinator); err != nil {
		r.fail("%w", err)
	}
	err := r.await("the loaded coordinator", func() (bool, error) {
		resp, err := r.askNewest(describeGroupsRequest("wire-barrier"))
		if err != nil {
			return false, err
		}
		switch errorName(resp.(*kmsg.DescribeGroupsResponse).Groups[0].ErrorCode) {
		case "NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE", "COORDINATOR_LOAD_IN_PROGRESS":
			return false, nil
		}
		return true, nil
	})
	if err != nil {
		r.fail("%w", err)
	}
}

func (r *run) findsCoordinator() (bool, error) {
	resp, err := r.askNewest(findCoordinatorRequest(6, 0, "wire-barrier"))
	return err == nil && resp.(*kmsg.FindCoordinatorResponse).Coordinators[0].ErrorCode == 0, err
}

// versioned gives a request the run's version, if it is of the run's API, or else the newest.
func (r *run) versioned(req kmsg.Request) kmsg.Request {
	if req.Key() == r.api.key {
		req.SetVersion(r.version)
	} else if v, ok := groupAPIs[req.Key()]; ok {
		req.SetVersion(v)
	}
	return req
}

// askNewest asks outside the transcript, at the newest version.
func (r *run) askNewest(req kmsg.Request) (kmsg.Response, error) {
	return r.askAt(broker, groupAPIs[req.Key()], req)
}

// must is askNewest where a failure ends the run.
func (r *run) must(req kmsg.Request) kmsg.Response {
	resp, err := r.askNewest(req)
	if err != nil {
		r.fail("%w", err)
	}
	r.learn(resp)
	return resp
}

// on records the answer to a request of another API than the run's, at its newest version.
func (r *run) on(name string, req kmsg.Request) kmsg.Response {
	return r.at(broker, groupAPIs[req.Key()], name, req)
}

// awaitGroup waits until a classic group is seen in a state with a number of members.
func (r *run) awaitGroup(group, state string, members int) {
	err := r.await(fmt.Sprintf("%s with %d members", state, members), func() (bool, error) {
		g := r.must(describeGroupsRequest(r.name(group))).(*kmsg.DescribeGroupsResponse).Groups[0]
		return g.State == state && len(g.Members) == members, nil
	})
	if err != nil {
		r.fail("%w", err)
	}
}

// drawnUUID matches the part of a member id that the coordinator draws.
var (
	drawnUUID = regexp.MustCompile(`[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}`)
	drawnID   = regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`)
)

// drawn gives the symbol of what a coordinator drew for a member, numbered by first appearance within the run.
func (r *run) drawn(s string) string {
	if r.members == nil {
		return s
	}
	if r.members[s] == "" {
		r.members[s] = fmt.Sprintf("<member#%d>", len(r.members)+1)
	}
	return r.members[s]
}

// learnMember takes a whole id that a coordinator drew.
func (r *run) learnMember(id *string) {
	if id != nil && drawnID.MatchString(*id) {
		r.drawn(*id)
	}
}
