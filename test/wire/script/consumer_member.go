package script

import "github.com/twmb/franz-go/pkg/kmsg"

// consumerMember is a member of a consumer group (KIP-848), driven outside the transcript.
type consumerMember struct {
	r *run
	// group is the group's short name.
	group, id string
	epoch     int32
	owned     []kmsg.ConsumerGroupHeartbeatRequestTopic
}

// consumerHeartbeatRequest is a heartbeat that says only who lives.
func consumerHeartbeatRequest(group, member string, epoch int32, change ...func(*kmsg.ConsumerGroupHeartbeatRequest)) *kmsg.ConsumerGroupHeartbeatRequest {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Group, req.MemberID, req.MemberEpoch = group, member, epoch
	for _, f := range change {
		f(req)
	}
	return req
}

// everything makes a heartbeat say everything, as the first one must: it reads topics and owns nothing.
func everything(topics ...string) func(*kmsg.ConsumerGroupHeartbeatRequest) {
	return func(req *kmsg.ConsumerGroupHeartbeatRequest) {
		req.RebalanceTimeoutMillis = 120_000
		req.SubscribedTopicNames = append([]string{}, topics...)
		req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	}
}

// owning says which partitions of a topic a member owns.
func owning(id [16]byte, partitions ...int32) func(*kmsg.ConsumerGroupHeartbeatRequest) {
	return func(req *kmsg.ConsumerGroupHeartbeatRequest) {
		if req.Topics == nil {
			req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
		}
		if len(partitions) == 0 {
			return
		}
		t := kmsg.NewConsumerGroupHeartbeatRequestTopic()
		t.TopicID, t.Partitions = id, partitions
		req.Topics = append(req.Topics, t)
	}
}

// as gives a member its static name.
func as(instance string) func(*kmsg.ConsumerGroupHeartbeatRequest) {
	return func(req *kmsg.ConsumerGroupHeartbeatRequest) { req.InstanceID = &instance }
}

// consumer is the one member of a consumer group that reads topic a.
func (r *run) consumer(group string, change ...func(*kmsg.ConsumerGroupHeartbeatRequest)) *consumerMember {
	return r.consumerNamed(group, "m1", change...)
}

// consumerNamed joins a consumer group that reads topic a with an id of the script's choice.
func (r *run) consumerNamed(group, id string, change ...func(*kmsg.ConsumerGroupHeartbeatRequest)) *consumerMember {
	m := &consumerMember{r: r, group: group, id: id}
	m.beat(append([]func(*kmsg.ConsumerGroupHeartbeatRequest){everything(r.name("a"))}, change...)...)
	return m
}

func (m *consumerMember) request(change ...func(*kmsg.ConsumerGroupHeartbeatRequest)) *kmsg.ConsumerGroupHeartbeatRequest {
	return consumerHeartbeatRequest(m.r.name(m.group), m.id, m.epoch, change...)
}

// beat sends a heartbeat and takes the epoch and the partitions that the answer gives.
func (m *consumerMember) beat(change ...func(*kmsg.ConsumerGroupHeartbeatRequest)) *kmsg.ConsumerGroupHeartbeatResponse {
	resp := m.r.must(m.request(change...)).(*kmsg.ConsumerGroupHeartbeatResponse)
	if resp.ErrorCode != 0 {
		m.r.fail("heartbeat of %s in %s: %s", m.id, m.group, errorName(resp.ErrorCode))
	}
	m.take(resp)
	return resp
}

// take learns from an answer.
func (m *consumerMember) take(resp *kmsg.ConsumerGroupHeartbeatResponse) {
	if resp.ErrorCode != 0 {
		return
	}
	m.epoch = resp.MemberEpoch
	if resp.Assignment == nil {
		return
	}
	m.owned = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	for _, t := range resp.Assignment.Topics {
		o := kmsg.NewConsumerGroupHeartbeatRequestTopic()
		o.TopicID, o.Partitions = t.TopicID, t.Partitions
		m.owned = append(m.owned, o)
	}
}

// holding says that the member owns what it was given last.
func (m *consumerMember) holding(req *kmsg.ConsumerGroupHeartbeatRequest) { req.Topics = m.owned }

// leave takes the member out of its group.
func (m *consumerMember) leave() {
	m.epoch = -1
	m.beat()
}
