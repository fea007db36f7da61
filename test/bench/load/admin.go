package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/test/bench/machine"
)

// patience bounds the wait for what a server does after it has answered.
const patience = time.Minute

// Topic is one to be made.
type Topic struct {
	Name       string
	Partitions int32
	Replicas   int16     // 0 is one
	Assigned   [][]int32 // the replicas of each partition, the leader first; nil has the server choose them
	Configs    map[string]string
}

// Create makes topics and returns when each partition can be written to: Apache Kafka answers some time before. One that is
// there is fine.
func Create(address string, topics ...Topic) error {
	c, err := Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, t := range topics {
		if err := AwaitBrokers(address, int(t.Replicas)); err != nil {
			return err
		}
	}
	if err := c.create(topics); err != nil {
		return err
	}
	for _, t := range topics {
		if t.Replicas > 1 {
			_, err = AwaitSynced(address, t.Name, int(t.Replicas))
		} else {
			err = c.awaitLeaders(t.Name, t.Partitions)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) create(topics []Topic) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Version, req.TimeoutMillis = 7, 120_000
	for _, topic := range topics {
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = topic.Name, topic.Partitions, max(1, topic.Replicas)
		for p, replicas := range topic.Assigned {
			t.NumPartitions, t.ReplicationFactor = -1, -1
			t.ReplicaAssignment = append(t.ReplicaAssignment, kmsg.CreateTopicsRequestTopicReplicaAssignment{Partition: int32(p), Replicas: replicas})
		}
		for key, value := range topic.Configs {
			set := kmsg.NewCreateTopicsRequestTopicConfig()
			set.Name, set.Value = key, &value
			t.Configs = append(t.Configs, set)
		}
		req.Topics = append(req.Topics, t)
	}
	resp, err := c.Call(req)
	if err != nil {
		return err
	}
	for _, t := range resp.(*kmsg.CreateTopicsResponse).Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			why := ""
			if t.ErrorMessage != nil {
				why = ": " + *t.ErrorMessage
			}
			return fmt.Errorf("create %s: %w%s", t.Topic, err, why)
		}
	}
	return nil
}

// CreateOnly is Create without the wait.
func CreateOnly(address string, topics ...Topic) error {
	c, err := Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.create(topics)
}

// Delete removes a topic.
func Delete(address, name string) error {
	c, err := Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.Version, req.TimeoutMillis, req.TopicNames = 5, 60_000, []string{name}
	resp, err := c.Call(req)
	if err != nil {
		return err
	}
	err = kerr.ErrorForCode(resp.(*kmsg.DeleteTopicsResponse).Topics[0].ErrorCode)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil
	}
	return err
}

func (c *Conn) awaitLeaders(topic string, partitions int32) error {
	for deadline := time.Now().Add(3 * patience); ; machine.Nap(10 * time.Millisecond) {
		_, err := c.Ends(topic, partitions)
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// EndOffset asks where a partition ends for its readers.
func (c *Conn) EndOffset(topic string, partition int32) (int64, error) {
	return c.ends(topic, partition, partition+1)
}

// Ends adds up the end offsets of all partitions of a topic; an error where one of them can't be used.
func (c *Conn) Ends(topic string, partitions int32) (int64, error) {
	return c.ends(topic, 0, partitions)
}

func (c *Conn) ends(topic string, from, to int32) (sum int64, err error) {
	req := kmsg.NewPtrListOffsetsRequest()
	req.Version, req.ReplicaID = 5, -1
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	for i := from; i < to; i++ {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp, p.CurrentLeaderEpoch = i, -1, -1
		t.Partitions = append(t.Partitions, p)
	}
	req.Topics = append(req.Topics, t)
	resp, err := c.Call(req)
	if err != nil {
		return 0, err
	}
	for _, p := range resp.(*kmsg.ListOffsetsResponse).Topics[0].Partitions {
		if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
			return 0, fmt.Errorf("%s-%d: %w", topic, p.Partition, err)
		}
		sum += p.Offset
	}
	return sum, nil
}

// Configure sets keys of a topic, or of all brokers.
func Configure(address string, kind kmsg.ConfigResourceType, name string, values map[string]string) error {
	c, err := Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Version = 1
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kind, name
	for key, value := range values {
		set := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		set.Name, set.Value = key, &value
		r.Configs = append(r.Configs, set)
	}
	req.Resources = append(req.Resources, r)
	resp, err := c.Call(req)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.(*kmsg.IncrementalAlterConfigsResponse).Resources[0].ErrorCode)
}

// AwaitCoordinator returns when a group's coordinator takes commits: the topic of offsets is made by the first who asks.
func AwaitCoordinator(address, group, topic string) error {
	c, err := Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.Version, find.CoordinatorKeys = 4, []string{group}
	for deadline := time.Now().Add(patience); ; {
		found, err := c.Call(find)
		if err != nil {
			return err
		}
		committed, err := c.Call(CommitRequest(group, topic))
		if err != nil {
			return err
		}
		err = errors.Join(kerr.ErrorForCode(found.(*kmsg.FindCoordinatorResponse).Coordinators[0].ErrorCode),
			kerr.ErrorForCode(committed.(*kmsg.OffsetCommitResponse).Topics[0].Partitions[0].ErrorCode))
		if err == nil || time.Now().After(deadline) {
			return err
		}
		machine.Nap(50 * time.Millisecond)
	}
}

// CommitRequest commits offset 0 of partition 0 for a group that has no members.
func CommitRequest(group, topic string) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version, req.Group, req.Generation = 8, group, -1
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic = topic
	t.Partitions = append(t.Partitions, kmsg.NewOffsetCommitRequestTopicPartition())
	req.Topics = append(req.Topics, t)
	return req
}

// Committed says whether the answer to a CommitRequest is good.
func Committed(body []byte) error {
	resp := kmsg.NewPtrOffsetCommitResponse()
	resp.Version = 8
	if err := resp.ReadFrom(body[5:]); err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
}

// persist tries again and again, a millisecond apart, until f succeeds: the server may not even listen yet.
func persist(what string, f func() error) error {
	var last error
	for deadline := time.Now().Add(3 * patience); time.Now().Before(deadline); machine.Nap(time.Millisecond) {
		if last = f(); last == nil {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", what, last)
}

// AwaitUsable returns when every partition of the topics can be used.
func AwaitUsable(address string, topics []Topic) error {
	return persist("the server does not become usable", func() error { return usable(address, &topics) })
}

// CreateWhenThere is CreateOnly for a server that may not listen yet.
func CreateWhenThere(address string, topics ...Topic) error {
	return persist("no topic can be made", func() error { return CreateOnly(address, topics...) })
}

// FirstAck sends one record to a partition until it is acknowledged.
func FirstAck(address, topic string, partition int32) error {
	batch, err := NewBatch(100, 100, compress.None)
	if err != nil {
		return err
	}
	return persist("nothing is acknowledged", func() error { return ack(address, topic, partition, batch) })
}

// usable takes those off the list that are.
func usable(address string, topics *[]Topic) error {
	c, err := Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	for len(*topics) > 0 {
		if _, err := c.Ends((*topics)[0].Name, (*topics)[0].Partitions); err != nil {
			return err
		}
		*topics = (*topics)[1:]
	}
	return nil
}

func ack(address, topic string, partition int32, batch Batch) error {
	c, err := Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	for deadline := time.Now().Add(patience); ; machine.Nap(time.Millisecond) {
		if err := c.Write(c.Frame(ProduceRequest(topic, partition, batch.Bytes))); err != nil {
			return err
		}
		body, err := c.Answer()
		if err != nil {
			return err
		}
		if err = Produced(body); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}
