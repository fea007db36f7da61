package members

import (
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/test/bench/load"
)

// classic speaks JoinGroup, SyncGroup and Heartbeat.
type classic struct {
	*load.Conn
	*settling
	group, topic string
	session      time.Duration // 0 is the default of clients

	id         string
	generation int32
	joined     bool
}

func (m *classic) close() { m.Close() }

func (m *classic) step() (time.Duration, error) {
	if m.joined {
		beat := kmsg.NewPtrHeartbeatRequest()
		beat.Version, beat.Group, beat.MemberID, beat.Generation = 4, m.group, m.id, m.generation
		resp, err := m.Call(beat)
		if err != nil {
			return 0, err
		}
		err = kerr.ErrorForCode(resp.(*kmsg.HeartbeatResponse).ErrorCode)
		if err == nil {
			return heartbeat, nil
		}
		if !errors.Is(err, kerr.RebalanceInProgress) && !errors.Is(err, kerr.IllegalGeneration) {
			return 0, err
		}
	}
	whole, err := m.rebalance()
	if errors.Is(err, kerr.RebalanceInProgress) || errors.Is(err, kerr.IllegalGeneration) {
		m.joined = false
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	m.joined = true
	m.report(m, standing{generation: int(m.generation)}, whole)
	return heartbeat, nil
}

// rebalance joins and syncs. Whole says that this is the leader, and everybody is there.
func (m *classic) rebalance() (whole bool, err error) {
	joined, err := m.join()
	if errors.Is(err, kerr.MemberIDRequired) {
		joined, err = m.join()
	}
	if err != nil {
		return false, err
	}
	m.generation = joined.Generation
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Version, sync.Group, sync.MemberID, sync.Generation = 5, m.group, m.id, m.generation
	sync.ProtocolType, sync.Protocol = new("consumer"), new("cooperative-sticky")
	if joined.LeaderID == m.id {
		whole = len(joined.Members) == m.size()
		for i, other := range joined.Members {
			a := kmsg.NewSyncGroupRequestGroupAssignment()
			a.MemberID, a.MemberAssignment = other.MemberID, m.assignment(i, len(joined.Members))
			sync.GroupAssignment = append(sync.GroupAssignment, a)
		}
	}
	resp, err := m.Call(sync)
	if err != nil {
		return false, err
	}
	return whole, kerr.ErrorForCode(resp.(*kmsg.SyncGroupResponse).ErrorCode)
}

func (m *classic) join() (*kmsg.JoinGroupResponse, error) {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version, req.Group, req.MemberID, req.ProtocolType = 7, m.group, m.id, "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 45_000, 60_000
	if m.session > 0 {
		req.SessionTimeoutMillis = int32(m.session.Milliseconds())
	}
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Version, meta.Topics = 1, []string{m.topic}
	p := kmsg.NewJoinGroupRequestProtocol()
	p.Name, p.Metadata = "cooperative-sticky", meta.AppendTo(nil)
	req.Protocols = append(req.Protocols, p)
	resp, err := m.Call(req)
	if err != nil {
		return nil, err
	}
	joined := resp.(*kmsg.JoinGroupResponse)
	if joined.MemberID != "" {
		m.id = joined.MemberID
	}
	return joined, kerr.ErrorForCode(joined.ErrorCode)
}

// assignment is the share of member i of n.
func (m *classic) assignment(i, n int) []byte {
	a := kmsg.NewConsumerMemberAssignment()
	t := kmsg.NewConsumerMemberAssignmentTopic()
	t.Topic = m.topic
	for p := i; p < m.plan.Partitions; p += n {
		t.Partitions = append(t.Partitions, int32(p))
	}
	a.Topics = append(a.Topics, t)
	return a.AppendTo(nil)
}

func (m *classic) leave() error {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Version, req.Group = 4, m.group
	who := kmsg.NewLeaveGroupRequestMember()
	who.MemberID = m.id
	req.Members = append(req.Members, who)
	resp, err := m.Call(req)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.(*kmsg.LeaveGroupResponse).ErrorCode)
}

// Lone makes a classic group of one member, whose session is long, and hangs up: the group stays as it is.
func Lone(address, group, topic string) error {
	conn, err := load.Dial(address)
	if err != nil {
		return err
	}
	defer conn.Close()
	plan := Plan{Group: group, Topic: topic, Members: 1, Partitions: 1}
	m := &classic{Conn: conn, settling: &settling{plan: plan, n: 1}, group: group, topic: topic, session: 30 * time.Minute}
	_, err = m.rebalance()
	return err
}
