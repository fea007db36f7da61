package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/quorum"
)

func directoryOf(node int) kafka.UUID { return kafka.UUID{0xd0, byte(node) + 1} }

// controllerListener is where controllers reach each other.
const controllerListener = "CONTROLLER"

// voterOf is a node as a voter.
func voterOf(node int) quorum.Voter {
	return quorum.Voter{
		ID: kafka.NodeID(node), Directory: directoryOf(node),
		Endpoints: []metadata.Endpoint{{Listener: controllerListener, Host: "node", Port: uint16(8000 + node)}},
	}
}

// staticVoters are controller.quorum.voters: none if the log says who votes.
func (w *World) staticVoters() (all []quorum.Voter) {
	for id := range voting {
		if !w.plan.voters {
			all = append(all, quorum.Voter{ID: kafka.NodeID(id)})
		}
	}
	return all
}

// format leaves on the disk who votes at first.
func (n *node) format() {
	var initial []quorum.Voter
	for id := range voting {
		initial = append(initial, voterOf(id))
	}
	n.must(metalog.WriteBootstrap(n.disk, metadataDir, metalog.Voters{KRaft: metalog.MaxKRaftVersion, Set: initial}, controller.DefaultBootstrap(), begin.UnixMilli()))
	whole, err := n.disk.Whole("/")
	n.must(err)
	n.must(whole.Sync())
}

// introduce tells this node to the leader, if anybody who can be reached knows it: what takes a while in a cluster happens at once here.
func (n *node) introduce(context.Context, []quorum.Voter) (quorum.Voter, error) {
	for _, i := range n.w.rng.Perm(n.w.plan.nodes) {
		other := n.w.nodes[i]
		if other == n || !n.reaches(other) {
			continue
		}
		leader, here, err := other.p.quorum.Introduce(voterOf(n.id))
		if here {
			n.w.sometimes("controller introduced to the leader")
			n.w.after(0, "", func() { other.do(func() {}) })
		}
		if here || err != nil {
			return leader, err
		}
	}
	return quorum.Voter{}, errTimeout
}

func (p *process) addVoter(req *kmsg.AddRaftVoterRequest, reply reply) {
	v := quorum.Voter{ID: kafka.NodeID(req.VoterID), Directory: req.VoterDirectoryID}
	for _, l := range req.Listeners {
		v.Endpoints = append(v.Endpoints, metadata.Endpoint{Listener: l.Name, Host: l.Host, Port: l.Port})
	}
	p.steps.Change(quorum.VoterChange{Kind: quorum.AddVoter, Voter: v}, func(err error) {
		resp := req.ResponseKind().(*kmsg.AddRaftVoterResponse)
		resp.ErrorCode = changeCode(err)
		reply(resp, nil)
	})
}

func (p *process) removeVoter(req *kmsg.RemoveRaftVoterRequest, reply reply) {
	v := quorum.Voter{ID: kafka.NodeID(req.VoterID), Directory: req.VoterDirectoryID}
	p.steps.Change(quorum.VoterChange{Kind: quorum.RemoveVoter, Voter: v}, func(err error) {
		resp := req.ResponseKind().(*kmsg.RemoveRaftVoterResponse)
		resp.ErrorCode = changeCode(err)
		reply(resp, nil)
	})
}

// changeCode is the error of a change of the voters, as package api has it.
func changeCode(err error) int16 {
	if errors.Is(err, quorum.ErrNotController) {
		return kerr.NotLeaderForPartition.Code
	}
	return code(err)
}

// electorate gives nodes a vote and takes it from them, one at a time, until the run is over (KIP-853).
type electorate struct {
	w      *World
	me     who
	votes  map[int]bool // what was acknowledged last
	unsure map[int]bool // whom a request was about whose end nobody knows: it may yet take effect
}

func newElectorate(w *World, number int) *electorate {
	e := &electorate{w: w, me: who{firstClient + number, 0, func() bool { return true }}, votes: map[int]bool{}, unsure: map[int]bool{}}
	for id := range voting {
		e.votes[id] = true
	}
	w.electorate = e
	w.after(w.between(time.Second, 3*time.Second), "", e.turn)
	return e
}

func (e *electorate) idle() bool { return true }

// turn asks the leader for a change, as some node knows both.
func (e *electorate) turn() {
	w := e.w
	if w.over() {
		return
	}
	w.after(w.between(50*time.Millisecond, 1500*time.Millisecond), "", e.turn)
	n := w.victim()
	if n == nil {
		return
	}
	leader, _ := n.p.quorum.Leader()
	if leader == kafka.NoNode {
		return
	}
	subject := w.rng.IntN(w.plan.nodes)
	set := n.p.quorum.Shown().Nodes
	if _, voter := n.p.quorum.Voter(kafka.NodeID(subject)); !voter {
		e.add(int(leader), subject)
	} else if len(set) > 1 {
		e.remove(int(leader), subject)
	}
}

func (e *electorate) add(leader, subject int) {
	req, l, v := kmsg.NewPtrAddRaftVoterRequest(), kmsg.NewAddRaftVoterRequestListener(), voterOf(subject)
	req.SetVersion(req.MaxVersion())
	req.TimeoutMillis, req.VoterID, req.VoterDirectoryID, req.AckWhenCommitted = 1000, int32(v.ID), v.Directory, true
	l.Name, l.Host, l.Port = v.Endpoints[0].Listener, v.Endpoints[0].Host, v.Endpoints[0].Port
	req.Listeners = append(req.Listeners, l)
	e.w.call(e.me, leader, req, callPatience, func(resp kmsg.Response, err error) {
		if err == nil {
			err = kerr.ErrorForCode(resp.(*kmsg.AddRaftVoterResponse).ErrorCode)
		}
		e.changed(subject, true, err)
	})
}

func (e *electorate) remove(leader, subject int) {
	req := kmsg.NewPtrRemoveRaftVoterRequest()
	req.SetVersion(req.MaxVersion())
	req.VoterID, req.VoterDirectoryID = int32(subject), directoryOf(subject)
	e.w.call(e.me, leader, req, callPatience, func(resp kmsg.Response, err error) {
		if err == nil {
			err = kerr.ErrorForCode(resp.(*kmsg.RemoveRaftVoterResponse).ErrorCode)
		}
		e.changed(subject, false, err)
	})
}

// changed takes in what came of a change. One that was refused by a leader that could be asked did nothing; of all else nobody knows.
func (e *electorate) changed(subject int, votes bool, err error) {
	what := "removed"
	if votes {
		what = "added"
	}
	switch {
	case err == nil:
		e.w.sometimes("voter " + what)
		e.w.tell("node %d is %s as a voter", subject, what)
		e.votes[subject] = votes
	default:
		e.w.sometimes("change of the voters failed")
		e.w.tell("node %d is not %s as a voter: %v", subject, what, err)
		refused := errors.Is(err, kerr.RequestTimedOut) || errors.Is(err, kerr.DuplicateVoter) || errors.Is(err, kerr.VoterNotFound) || errors.Is(err, errRefused)
		e.unsure[subject] = e.unsure[subject] || !refused
	}
}

// disputed says who counts with other voters than the rest; "" when all agree.
func (w *World) disputed() string {
	first := w.nodes[0].p.quorum.Shown()
	for _, n := range w.nodes[1:] {
		if s := n.p.quorum.Shown(); !slices.Equal(voterIDs(s), voterIDs(first)) {
			return fmt.Sprintf("node 0 knows voters %v and node %d %v", voterIDs(first), n.id, voterIDs(s))
		}
	}
	return ""
}

// checkVoters looks whether the changes of the voters that were acknowledged last are there.
func (w *World) checkVoters() {
	if w.electorate == nil {
		return
	}
	now := voterIDs(w.nodes[0].p.quorum.Shown())
	for id := range w.plan.nodes {
		if e := w.electorate; !e.unsure[id] && e.votes[id] != slices.Contains(now, kafka.NodeID(id)) {
			w.fail("voters are %v, and that node %d votes was acknowledged as %t", now, id, e.votes[id])
		}
	}
}

func voterIDs(s *quorum.Status) (ids []kafka.NodeID) {
	for _, v := range s.Nodes {
		ids = append(ids, v.ID)
	}
	return ids
}
