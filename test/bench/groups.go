package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// coordinated makes the topic of a row and waits until its groups have a coordinator.
func (b *bench) coordinated(topic string, partitions int32) error {
	if err := b.running(); err != nil {
		return err
	}
	c, err := dial(b.node.address)
	if err != nil {
		return err
	}
	defer c.nc.Close()
	if err := c.createTopic([]string{topic}, partitions); err != nil {
		return err
	}
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.Version, find.CoordinatorKeys = 4, []string{"bench"}
	for deadline := time.Now().Add(patience); ; {
		found, err := c.call(find)
		if err != nil {
			return err
		}
		committed, err := c.call(commitRequest("bench", topic, 0))
		if err != nil {
			return err
		}
		err = errors.Join(kerr.ErrorForCode(found.(*kmsg.FindCoordinatorResponse).Coordinators[0].ErrorCode),
			kerr.ErrorForCode(committed.(*kmsg.OffsetCommitResponse).Topics[0].Partitions[0].ErrorCode))
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func commitRequest(group, topic string, offset int64) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version, req.Group, req.Generation = 8, group, -1
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic = topic
	p := kmsg.NewOffsetCommitRequestTopicPartition()
	p.Offset = offset
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

// commits has 200 consumers without a group's members commit one offset each, again and again.
func commits(b *bench) (string, error) {
	if err := b.coordinated("commits", 1); err != nil {
		return "", err
	}
	commit := func(length time.Duration) func() (int64, error) {
		return func() (int64, error) {
			return load(b.node.address, 200, 1, length, func(c *conn, i int) []byte {
				return c.frame(commitRequest(fmt.Sprintf("commits-%d", i), "commits", int64(i)))
			}, func(body []byte) (int64, error) { return 1, checkCommitted(body) })
		}
	}
	if _, err := commit(2 * time.Second)(); err != nil { // warm up
		return "", err
	}
	n, cpu, err := b.measured(commit(b.seconds))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.1f CPU-us each, %.0f/s", float64(cpu.Microseconds())/float64(n), float64(n)/b.seconds.Seconds()), nil
}

func checkCommitted(body []byte) error {
	resp := kmsg.NewPtrOffsetCommitResponse()
	resp.Version = 8
	if err := resp.ReadFrom(body[5:]); err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
}

// thousandGroups makes 1,000 classic groups of one member, whose sessions are long, and looks what they cost at rest.
func thousandGroups(b *bench) (string, error) {
	if err := b.coordinated("groups", 1); err != nil {
		return "", err
	}
	before, err := b.node.resident()
	if err != nil {
		return "", err
	}
	for i := range 1000 {
		c, err := dial(b.node.address)
		if err != nil {
			return "", err
		}
		m := &classicMember{conn: c, group: fmt.Sprintf("groups-%d", i), session: 30 * time.Minute, topic: "groups"}
		_, err = m.rebalance()
		c.nc.Close()
		if err != nil {
			return "", err
		}
	}
	after, err := b.node.resident()
	if err != nil {
		return "", err
	}
	length := max(b.seconds, 20*time.Second)
	_, cpu, err := b.measured(func() (int64, error) { time.Sleep(length); return 0, nil })
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.1f MiB more, %.2f %% of a core", mib(after-before), 100*cpu.Seconds()/length.Seconds()), nil
}

// The size of the group that is joined.
const (
	joining     = 500
	joinedParts = 1000
)

// member is one of a group that is joined.
type member interface {
	// step heartbeats, or joins again when that is due, and returns when it wants to be called again.
	step() (time.Duration, error)
	close()
}

// settling is a group on its way.
type settling struct {
	mu     sync.Mutex
	stable map[member]int // the generation or epoch in which a member has all that it is to have
	goal   int            // the generation of all, as soon as that is known
	ready  chan struct{}
	once   sync.Once
}

// report tells how a member stands; whole says that the whole group is in this generation.
func (s *settling) report(m member, generation int, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stable[m] = generation
	if whole {
		s.goal = max(s.goal, generation)
	}
	if s.goal == 0 || len(s.stable) < joining {
		return
	}
	for _, g := range s.stable {
		if g < s.goal {
			return
		}
	}
	s.once.Do(func() { close(s.ready) })
}

// joinRow has 500 members join one group at once.
func joinRow(b *bench, topic string, enter func(c *conn, s *settling, i int) member) (string, error) {
	if err := b.coordinated(topic, joinedParts); err != nil {
		return "", err
	}
	s := &settling{stable: map[member]int{}, ready: make(chan struct{})}
	members := []member{}
	for i := range joining {
		c, err := dial(b.node.address)
		if err != nil {
			return "", err
		}
		members = append(members, enter(c, s, i))
	}
	var all sync.WaitGroup
	defer all.Wait()
	over := make(chan struct{})
	defer close(over)
	failed := make(chan error, joining)
	before, err := b.node.cpu()
	if err != nil {
		return "", err
	}
	began := time.Now()
	for _, m := range members {
		all.Go(func() {
			defer m.close()
			for {
				rest, err := m.step()
				if err != nil {
					failed <- err
					return
				}
				select {
				case <-over:
					return
				case <-time.After(rest):
				}
			}
		})
	}
	select {
	case <-s.ready:
	case err := <-failed:
		return "", err
	case <-time.After(2 * patience):
		return "", errors.New("the group does not become stable")
	}
	took := time.Since(began)
	after, err := b.node.cpu()
	return fmt.Sprintf("%v, %.2f CPU-s", took.Round(time.Millisecond), (after - before).Seconds()), err
}

func joinClassic(b *bench) (string, error) {
	return joinRow(b, "joined-classic", func(c *conn, s *settling, _ int) member {
		return &classicMember{conn: c, settling: s, group: "joined-classic", session: 45 * time.Second, topic: "joined-classic"}
	})
}

// classicMember speaks JoinGroup, SyncGroup and Heartbeat.
type classicMember struct {
	*conn
	*settling
	group, topic string
	session      time.Duration

	id         string
	generation int32
	joined     bool
}

func (m *classicMember) close() { m.nc.Close() }

func (m *classicMember) step() (time.Duration, error) {
	if m.joined {
		beat := kmsg.NewPtrHeartbeatRequest()
		beat.Version, beat.Group, beat.MemberID, beat.Generation = 4, m.group, m.id, m.generation
		resp, err := m.call(beat)
		if err != nil {
			return 0, err
		}
		err = kerr.ErrorForCode(resp.(*kmsg.HeartbeatResponse).ErrorCode)
		switch {
		case err == nil:
			return 250 * time.Millisecond, nil
		case !errors.Is(err, kerr.RebalanceInProgress):
			return 0, err
		}
	}
	whole, err := m.rebalance()
	switch {
	case errors.Is(err, kerr.RebalanceInProgress):
		m.joined = false
		return 0, nil
	case err != nil:
		return 0, err
	}
	m.joined = true
	m.report(m, int(m.generation), whole)
	return 250 * time.Millisecond, nil
}

// rebalance joins and syncs. Whole says that this is the leader, and everybody is there.
func (m *classicMember) rebalance() (whole bool, err error) {
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
		whole = len(joined.Members) == joining
		for i, other := range joined.Members {
			a := kmsg.NewSyncGroupRequestGroupAssignment()
			a.MemberID, a.MemberAssignment = other.MemberID, m.assignment(i, len(joined.Members))
			sync.GroupAssignment = append(sync.GroupAssignment, a)
		}
	}
	resp, err := m.call(sync)
	if err != nil {
		return false, err
	}
	return whole, kerr.ErrorForCode(resp.(*kmsg.SyncGroupResponse).ErrorCode)
}

func (m *classicMember) join() (*kmsg.JoinGroupResponse, error) {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version, req.Group, req.MemberID, req.ProtocolType = 7, m.group, m.id, "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = int32(m.session.Milliseconds()), 60_000
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Version, meta.Topics = 1, []string{m.topic}
	p := kmsg.NewJoinGroupRequestProtocol()
	p.Name, p.Metadata = "cooperative-sticky", meta.AppendTo(nil)
	req.Protocols = append(req.Protocols, p)
	resp, err := m.call(req)
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
func (m *classicMember) assignment(i, n int) []byte {
	a := kmsg.NewConsumerMemberAssignment()
	t := kmsg.NewConsumerMemberAssignmentTopic()
	t.Topic = m.topic
	for p := i; p < joinedParts; p += n {
		t.Partitions = append(t.Partitions, int32(p))
	}
	a.Topics = append(a.Topics, t)
	return a.AppendTo(nil)
}

func joinConsumer(b *bench) (string, error) {
	return joinRow(b, "joined-consumer", func(c *conn, s *settling, i int) member {
		return &consumerMember{conn: c, settling: s, id: fmt.Sprintf("bench-member-%04d", i), group: "joined-consumer"}
	})
}

// consumerMember speaks ConsumerGroupHeartbeat (KIP-848).
type consumerMember struct {
	*conn
	*settling
	group, id string
	epoch     int32
	told      bool // what it owns has been told since it changed
	owned     []kmsg.ConsumerGroupHeartbeatRequestTopic
}

func (m *consumerMember) close() { m.nc.Close() }

func (m *consumerMember) step() (time.Duration, error) {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Version, req.Group, req.MemberID, req.MemberEpoch = 1, m.group, m.id, m.epoch
	req.RebalanceTimeoutMillis = -1
	if m.epoch == 0 {
		req.RebalanceTimeoutMillis, req.SubscribedTopicNames = 300_000, []string{m.group}
	}
	if m.epoch == 0 || !m.told {
		req.Topics = append([]kmsg.ConsumerGroupHeartbeatRequestTopic{}, m.owned...)
		m.told = true
	}
	answer, err := m.call(req)
	if err != nil {
		return 0, err
	}
	resp := answer.(*kmsg.ConsumerGroupHeartbeatResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return 0, err
	}
	m.epoch = resp.MemberEpoch
	if resp.Assignment != nil {
		m.owned, m.told = m.owned[:0], false
		for _, t := range resp.Assignment.Topics {
			owned := kmsg.NewConsumerGroupHeartbeatRequestTopic()
			owned.TopicID, owned.Partitions = t.TopicID, t.Partitions
			m.owned = append(m.owned, owned)
		}
	}
	count := 0
	for _, t := range m.owned {
		count += len(t.Partitions)
	}
	m.report(m, min(1, count/(joinedParts/joining)), true)
	if !m.told {
		return 0, nil
	}
	return time.Duration(resp.HeartbeatIntervalMillis) * time.Millisecond, nil
}
