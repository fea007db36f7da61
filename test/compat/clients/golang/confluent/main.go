// Command confluent is confluent-kafka-go (librdkafka) in the suite of foreign clients.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/ottla/ottla/test/compat/clients/golang/contract"
)

const limit = 20 * time.Second

type client struct {
	bootstrap string
	adm       *kafka.AdminClient
	consumer  *kafka.Consumer
}

func main() {
	contract.Loads = openLoad
	contract.Main("confluent-go", func(bootstrap string) (contract.Client, error) {
		adm, err := kafka.NewAdminClient(&kafka.ConfigMap{"bootstrap.servers": bootstrap})
		if err != nil {
			return nil, err
		}
		// The group only names the consumer: Assign joins nothing and nothing is committed.
		consumer, err := kafka.NewConsumer(&kafka.ConfigMap{"bootstrap.servers": bootstrap, "group.id": "none", "enable.auto.commit": false,
			"auto.offset.reset": "error", "check.crcs": true, "fetch.wait.max.ms": 50, "fetch.message.max.bytes": 4 << 20})
		return &client{bootstrap: bootstrap, adm: adm, consumer: consumer}, err
	}, join)
}

func (c *client) Close() {
	c.consumer.Close()
	c.adm.Close()
}

func limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), limit)
}

// Code also knows the server's answers that reach the application under librdkafka's own negative codes.
func (c *client) Code(err error) (int, bool) {
	var e kafka.Error
	if !errors.As(err, &e) {
		return 0, false
	}
	switch e.Code() {
	case kafka.ErrUnknownTopic, kafka.ErrUnknownPartition:
		return 3, true
	case kafka.ErrAutoOffsetReset:
		return 1, true
	}
	return int(e.Code()), e.Code() > 0
}

// failed is nil when the answer for one thing says so.
func failed(e kafka.Error) error {
	if e.Code() == kafka.ErrNoError {
		return nil
	}
	return e
}

func (c *client) Brokers() (int, error) {
	m, err := c.adm.GetMetadata(nil, true, int(limit.Milliseconds()))
	if err != nil {
		return 0, err
	}
	return len(m.Brokers), nil
}

func topicError(rs []kafka.TopicResult, err error) error {
	if err != nil {
		return err
	}
	return failed(rs[0].Error)
}

func (c *client) CreateTopic(name string, partitions int32, replication int16, configs map[string]string) error {
	ctx, cancel := limited()
	defer cancel()
	return topicError(c.adm.CreateTopics(ctx, []kafka.TopicSpecification{
		{Topic: name, NumPartitions: int(partitions), ReplicationFactor: int(replication), Config: configs}}))
}

func (c *client) DeleteTopic(name string) error {
	ctx, cancel := limited()
	defer cancel()
	return topicError(c.adm.DeleteTopics(ctx, []string{name}))
}

func (c *client) Topics() ([]string, error) {
	m, err := c.adm.GetMetadata(nil, true, int(limit.Milliseconds()))
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range m.Topics {
		names = append(names, name)
	}
	return names, nil
}

func (c *client) Describe(topic string) ([]contract.Partition, error) {
	m, err := c.adm.GetMetadata(&topic, false, int(limit.Milliseconds()))
	if err != nil {
		return nil, err
	}
	t := m.Topics[topic]
	var ps []contract.Partition
	for _, p := range t.Partitions {
		ps = append(ps, contract.Partition{ID: p.ID, Leader: p.Leader, Replicas: len(p.Replicas), ISR: len(p.Isrs)})
	}
	return ps, failed(t.Error)
}

func (c *client) CreatePartitions(topic string, total int32) error {
	ctx, cancel := limited()
	defer cancel()
	return topicError(c.adm.CreatePartitions(ctx, []kafka.PartitionsSpecification{{Topic: topic, IncreaseTo: int(total)}}))
}

func (c *client) Config(topic, key string) (string, string, error) {
	ctx, cancel := limited()
	defer cancel()
	rs, err := c.adm.DescribeConfigs(ctx, []kafka.ConfigResource{{Type: kafka.ResourceTopic, Name: topic}})
	if err != nil {
		return "", "", err
	}
	e := rs[0].Config[key]
	return e.Value, e.Source.String(), failed(rs[0].Error)
}

func (c *client) SetConfig(topic, key, value string) error {
	ctx, cancel := limited()
	defer cancel()
	rs, err := c.adm.IncrementalAlterConfigs(ctx, []kafka.ConfigResource{{Type: kafka.ResourceTopic, Name: topic,
		Config: []kafka.ConfigEntry{{Name: key, Value: value, IncrementalOperation: kafka.AlterConfigOpTypeSet}}}})
	if err != nil {
		return err
	}
	return failed(rs[0].Error)
}

func (c *client) DeleteRecords(topic string, partition int32, before int64) (int64, error) {
	ctx, cancel := limited()
	defer cancel()
	rs, err := c.adm.DeleteRecords(ctx, []kafka.TopicPartition{{Topic: &topic, Partition: partition, Offset: kafka.Offset(before)}})
	if err != nil {
		return 0, err
	}
	r := rs.DeleteRecordsResults[0]
	if r.TopicPartition.Error != nil {
		return 0, r.TopicPartition.Error
	}
	return int64(r.DeletedRecords.LowWatermark), nil
}

func (c *client) Bounds(topic string, partition int32) (int64, int64, error) {
	return c.consumer.QueryWatermarkOffsets(topic, partition, int(limit.Milliseconds()))
}

func (c *client) OffsetAt(topic string, partition int32, ms int64) (int64, error) {
	rs, err := c.consumer.OffsetsForTimes([]kafka.TopicPartition{{Topic: &topic, Partition: partition, Offset: kafka.Offset(ms)}},
		int(limit.Milliseconds()))
	if err != nil {
		return 0, err
	}
	return max(int64(rs[0].Offset), -1), rs[0].Error // "end", -1001, when no record is that young
}

func (c *client) Produce(topic string, records []contract.Record, how contract.How) error {
	p, err := kafka.NewProducer(&kafka.ConfigMap{"bootstrap.servers": c.bootstrap, "compression.type": how.Codec, "acks": how.Acks,
		"linger.ms": 5, "enable.idempotence": how.Idempotent, "message.max.bytes": 4 << 20, "message.timeout.ms": 20000})
	if err != nil {
		return err
	}
	defer p.Close()
	delivered := make(chan kafka.Event, len(records))
	for _, r := range records {
		m := &kafka.Message{TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: r.Partition}, Key: r.Key, Value: r.Value,
			Timestamp: time.UnixMilli(r.Time)}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, kafka.Header{Key: h.Key, Value: h.Value})
		}
		if err := p.Produce(m, delivered); err != nil {
			return err
		}
	}
	var first error
	for range records {
		if m := (<-delivered).(*kafka.Message); m.TopicPartition.Error != nil && first == nil {
			first = m.TopicPartition.Error
		}
	}
	return first
}

func (c *client) Consume(topic string, partition int32, from, end int64) ([]contract.Record, error) {
	if err := c.consumer.Assign([]kafka.TopicPartition{{Topic: &topic, Partition: partition, Offset: kafka.Offset(from)}}); err != nil {
		return nil, err
	}
	defer c.consumer.Unassign()
	deadline := time.Now().Add(limit)
	var got []contract.Record
	for time.Now().Before(deadline) {
		switch m := c.consumer.Poll(1000).(type) {
		case *kafka.Message:
			if m.TopicPartition.Error != nil {
				return got, m.TopicPartition.Error
			}
			r := contract.Record{Partition: partition, Offset: int64(m.TopicPartition.Offset), Time: m.Timestamp.UnixMilli(), Key: m.Key, Value: m.Value}
			for _, h := range m.Headers {
				r.Headers = append(r.Headers, contract.Header{Key: h.Key, Value: h.Value})
			}
			got = append(got, r)
			if r.Offset >= end-1 {
				return got, nil
			}
		case kafka.Error:
			return got, m
		}
	}
	return got, fmt.Errorf("nothing more after %d records", len(got))
}
