package members

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/test/bench/load"
)

// modern speaks ConsumerGroupHeartbeat (KIP-848).
type modern struct {
	*load.Conn
	*settling
	group, topic, id string

	epoch int32
	told  bool // what it owns has been told since it changed
	owned []kmsg.ConsumerGroupHeartbeatRequestTopic
}

func (m *modern) close() { m.Close() }

func (m *modern) step() (time.Duration, error) {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Version, req.Group, req.MemberID, req.MemberEpoch = 1, m.group, m.id, m.epoch
	req.RebalanceTimeoutMillis = -1
	if m.epoch == 0 {
		req.RebalanceTimeoutMillis, req.SubscribedTopicNames = 300_000, []string{m.topic}
	}
	if m.epoch == 0 || !m.told {
		req.Topics = append([]kmsg.ConsumerGroupHeartbeatRequestTopic{}, m.owned...)
		m.told = true
	}
	answer, err := m.Call(req)
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
	m.report(m, standing{partitions: count}, false)
	if !m.told {
		return 0, nil
	}
	return time.Duration(resp.HeartbeatIntervalMillis) * time.Millisecond, nil
}

func (m *modern) leave() error {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Version, req.Group, req.MemberID, req.MemberEpoch, req.RebalanceTimeoutMillis = 1, m.group, m.id, -1, -1
	resp, err := m.Call(req)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.(*kmsg.ConsumerGroupHeartbeatResponse).ErrorCode)
}
