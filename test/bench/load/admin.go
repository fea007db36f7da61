package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/test/bench/machine"
)

// patience bounds the wait for what a server does after it has answered.
const patience = time.Minute

// Topic is one to be made.
type Topic struct {
	Name       string
	Partitions int32
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
	if err := c.create(topics); err != nil {
		return err
	}
	for _, t := range topics {
		if err := c.awaitLeaders(t.Name, t.Partitions); err != nil {
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
		t.Topic, t.NumPartitions, t.ReplicationFactor = topic.Name, topic.Partitions, 1
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
	deadline := time.Now().Add(patience)
	for p := int32(0); p < partitions; {
		_, err := c.EndOffset(topic, p)
		if err == nil {
			p++
			continue
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s-%d can't be used: %w", topic, p, err)
		}
		machine.Nap(10 * time.Millisecond)
	}
	return nil
}

// EndOffset asks where a partition ends for its readers.
func (c *Conn) EndOffset(topic string, partition int32) (int64, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	req.Version, req.ReplicaID = 5, -1
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp, p.CurrentLeaderEpoch = partition, -1, -1
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	resp, err := c.Call(req)
	if err != nil {
		return 0, err
	}
	found := resp.(*kmsg.ListOffsetsResponse).Topics[0].Partitions[0]
	return found.Offset, kerr.ErrorForCode(found.ErrorCode)
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
