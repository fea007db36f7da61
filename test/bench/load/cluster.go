package load

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Cluster is what a node says of the brokers, and of one topic.
type Cluster struct {
	Brokers map[int32]string // addresses of those that live, by id
	Leaders []int32          // of the topic's partitions
	Synced  int              // replicas in the smallest in-sync set
}

// Addresses are those of the partitions' leaders.
func (c Cluster) Addresses() []string {
	all := make([]string, len(c.Leaders))
	for i, id := range c.Leaders {
		all[i] = c.Brokers[id]
	}
	return all
}

// Ask asks a node for the brokers, and for a topic; "" is none.
func Ask(address, topic string) (Cluster, error) {
	c, err := Dial(address)
	if err != nil {
		return Cluster{}, err
	}
	defer c.Close()
	req := kmsg.NewPtrMetadataRequest()
	req.Version, req.Topics = 9, []kmsg.MetadataRequestTopic{}
	if topic != "" {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &topic
		req.Topics = append(req.Topics, t)
	}
	answer, err := c.Call(req)
	if err != nil {
		return Cluster{}, err
	}
	resp := answer.(*kmsg.MetadataResponse)
	told := Cluster{Brokers: map[int32]string{}}
	for _, b := range resp.Brokers {
		told.Brokers[b.NodeID] = fmt.Sprintf("%s:%d", b.Host, b.Port)
	}
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return told, fmt.Errorf("%s: %w", topic, err)
		}
		told.Leaders, told.Synced = make([]int32, len(t.Partitions)), len(resp.Brokers)
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return told, fmt.Errorf("%s-%d: %w", topic, p.Partition, err)
			}
			told.Leaders[p.Partition], told.Synced = p.Leader, min(told.Synced, len(p.ISR))
		}
	}
	return told, nil
}

// AwaitBrokers returns when so many brokers live.
func AwaitBrokers(address string, want int) error {
	if want <= 1 {
		return nil
	}
	return persist("the cluster does not become whole", func() error {
		told, err := Ask(address, "")
		if err == nil && len(told.Brokers) < want {
			err = fmt.Errorf("%d of %d brokers live", len(told.Brokers), want)
		}
		return err
	})
}

// AwaitSynced returns when every partition of a topic has so many replicas in sync, and its leader answers for it.
func AwaitSynced(address, topic string, replicas int) (Cluster, error) {
	var told Cluster
	err := persist("the replicas do not become in sync", func() error {
		var err error
		if told, err = Ask(address, topic); err != nil {
			return err
		}
		if told.Synced < replicas {
			return fmt.Errorf("a partition of %s has %d of %d replicas in sync", topic, told.Synced, replicas)
		}
		return told.lead(topic)
	})
	return told, err
}

// lead asks the leaders of a topic whether they are.
func (c Cluster) lead(topic string) error {
	conns := map[int32]*Conn{}
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	for p, leader := range c.Leaders {
		if conns[leader] == nil {
			conn, err := Dial(c.Brokers[leader])
			if err != nil {
				return err
			}
			conns[leader] = conn
		}
		if _, err := conns[leader].EndOffset(topic, int32(p)); err != nil {
			return err
		}
	}
	return nil
}

// Controller asks a node which one is the active controller.
func Controller(address string) (int32, error) {
	c, err := Dial(address)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	req := kmsg.NewPtrDescribeQuorumRequest()
	t := kmsg.NewDescribeQuorumRequestTopic()
	t.Topic, t.Partitions = "__cluster_metadata", []kmsg.DescribeQuorumRequestTopicPartition{{}}
	req.Topics = append(req.Topics, t)
	answer, err := c.Call(req)
	if err != nil {
		return 0, err
	}
	resp := answer.(*kmsg.DescribeQuorumResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return 0, err
	}
	p := resp.Topics[0].Partitions[0]
	return p.LeaderID, kerr.ErrorForCode(p.ErrorCode)
}
