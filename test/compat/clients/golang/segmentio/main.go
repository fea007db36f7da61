// Command segmentio is segmentio/kafka-go in the suite of foreign clients.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/ottla/ottla/test/compat/clients/golang/contract"
)

type client struct {
	bootstrap string
	kafka     *kafka.Client
}

func main() {
	contract.Main("segmentio", func(bootstrap string) (contract.Client, error) {
		return &client{bootstrap: bootstrap, kafka: &kafka.Client{Addr: kafka.TCP(contract.Brokers(bootstrap)...), Timeout: 15 * time.Second}}, nil
	}, join)
}

func (c *client) Close() {}

func limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 20*time.Second)
}

func (c *client) Code(err error) (int, bool) {
	var many kafka.WriteErrors
	if errors.As(err, &many) {
		for _, e := range many {
			if e != nil {
				return c.Code(e)
			}
		}
	}
	var e kafka.Error
	if errors.As(err, &e) {
		return int(e), true
	}
	return 0, false
}

func (c *client) metadata(topics ...string) (*kafka.MetadataResponse, error) {
	ctx, cancel := limited()
	defer cancel()
	return c.kafka.Metadata(ctx, &kafka.MetadataRequest{Topics: topics})
}

func (c *client) Brokers() (int, error) {
	m, err := c.metadata()
	if err != nil {
		return 0, err
	}
	return len(m.Brokers), nil
}

func (c *client) CreateTopic(name string, partitions int32, replication int16, configs map[string]string) error {
	ctx, cancel := limited()
	defer cancel()
	t := kafka.TopicConfig{Topic: name, NumPartitions: int(partitions), ReplicationFactor: int(replication)}
	for k, v := range configs {
		t.ConfigEntries = append(t.ConfigEntries, kafka.ConfigEntry{ConfigName: k, ConfigValue: v})
	}
	r, err := c.kafka.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{t}})
	if err != nil {
		return err
	}
	return r.Errors[name]
}

func (c *client) DeleteTopic(name string) error {
	ctx, cancel := limited()
	defer cancel()
	r, err := c.kafka.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{name}})
	if err != nil {
		return err
	}
	return r.Errors[name]
}

func (c *client) Topics() ([]string, error) {
	m, err := c.metadata()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range m.Topics {
		names = append(names, t.Name)
	}
	return names, nil
}

func (c *client) Describe(topic string) ([]contract.Partition, error) {
	m, err := c.metadata(topic)
	if err != nil {
		return nil, err
	}
	if err := m.Topics[0].Error; err != nil {
		return nil, err
	}
	var ps []contract.Partition
	for _, p := range m.Topics[0].Partitions {
		ps = append(ps, contract.Partition{ID: int32(p.ID), Leader: int32(p.Leader.ID), Replicas: len(p.Replicas), ISR: len(p.Isr)})
	}
	return ps, nil
}

func (c *client) CreatePartitions(topic string, total int32) error {
	ctx, cancel := limited()
	defer cancel()
	r, err := c.kafka.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: total}}})
	if err != nil {
		return err
	}
	return r.Errors[topic]
}

func (c *client) Config(topic, key string) (string, string, error) {
	ctx, cancel := limited()
	defer cancel()
	r, err := c.kafka.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{
		{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{key}}}})
	if err != nil {
		return "", "", err
	}
	if err := r.Resources[0].Error; err != nil {
		return "", "", err
	}
	e := r.Resources[0].ConfigEntries[0]
	return e.ConfigValue, fmt.Sprint(e.ConfigSource), nil
}

func (c *client) SetConfig(topic, key, value string) error {
	ctx, cancel := limited()
	defer cancel()
	r, err := c.kafka.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{
		{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, Configs: []kafka.IncrementalAlterConfigsRequestConfig{
			{Name: key, Value: value, ConfigOperation: kafka.ConfigOperationSet}}}}})
	if err != nil {
		return err
	}
	return r.Resources[0].Error
}

func (c *client) DeleteRecords(string, int32, int64) (int64, error) {
	return 0, contract.Unsupported("kafka-go has no DeleteRecords")
}

func (c *client) list(topic string, request kafka.OffsetRequest) (kafka.PartitionOffsets, error) {
	ctx, cancel := limited()
	defer cancel()
	r, err := c.kafka.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {request}}})
	if err != nil {
		return kafka.PartitionOffsets{}, err
	}
	return r.Topics[topic][0], r.Topics[topic][0].Error
}

func (c *client) Bounds(topic string, partition int32) (int64, int64, error) {
	first, err := c.list(topic, kafka.FirstOffsetOf(int(partition)))
	if err != nil {
		return 0, 0, err
	}
	last, err := c.list(topic, kafka.LastOffsetOf(int(partition)))
	return first.FirstOffset, last.LastOffset, err
}

func (c *client) OffsetAt(topic string, partition int32, ms int64) (int64, error) {
	found, err := c.list(topic, kafka.TimeOffsetOf(int(partition), time.UnixMilli(ms)))
	for o := range found.Offsets {
		return o, err
	}
	return -1, err
}

// byWriterData sends a message to the partition that rides beside it.
type byWriterData struct{}

func (byWriterData) Balance(m kafka.Message, _ ...int) int { return int(m.WriterData.(int32)) }

func (c *client) Produce(topic string, records []contract.Record, how contract.How) error {
	if how.Idempotent {
		return contract.Unsupported("kafka-go has no idempotent producer")
	}
	codec := map[string]kafka.Compression{"gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd}[how.Codec]
	w := &kafka.Writer{Addr: kafka.TCP(contract.Brokers(c.bootstrap)...), Topic: topic, Balancer: byWriterData{}, Compression: codec,
		RequiredAcks: kafka.RequiredAcks(how.Acks), BatchSize: 4, BatchBytes: 4 << 20, BatchTimeout: 10 * time.Millisecond, MaxAttempts: 3}
	if how.Acks == 0 {
		// Without answers to wait for, the library spreads the batches of one partition over several connections and
		// so loses their order: make it one batch.
		w.BatchSize, w.BatchTimeout = len(records), 500*time.Millisecond
	}
	ctx, cancel := limited()
	defer cancel()
	var ms []kafka.Message
	for _, r := range records {
		m := kafka.Message{Key: r.Key, Value: r.Value, Time: time.UnixMilli(r.Time), WriterData: r.Partition}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, kafka.Header{Key: h.Key, Value: h.Value})
		}
		ms = append(ms, m)
	}
	if err := w.WriteMessages(ctx, ms...); err != nil {
		return errors.Join(err, w.Close())
	}
	return w.Close()
}

func (c *client) Consume(topic string, partition int32, from, end int64) ([]contract.Record, error) {
	k := kafka.NewReader(kafka.ReaderConfig{Brokers: contract.Brokers(c.bootstrap), Topic: topic, Partition: int(partition),
		MinBytes: 1, MaxBytes: 4 << 20, MaxWait: 50 * time.Millisecond, OffsetOutOfRangeError: true, MaxAttempts: 1})
	defer k.Close()
	if err := k.SetOffset(from); err != nil {
		return nil, err
	}
	ctx, cancel := limited()
	defer cancel()
	var got []contract.Record
	for {
		m, err := k.FetchMessage(ctx)
		if err != nil {
			return got, err
		}
		r := contract.Record{Partition: partition, Offset: m.Offset, Time: m.Time.UnixMilli(), Key: m.Key, Value: m.Value}
		for _, h := range m.Headers {
			r.Headers = append(r.Headers, contract.Header{Key: h.Key, Value: h.Value})
		}
		got = append(got, r)
		if m.Offset >= end-1 {
			return got, nil
		}
	}
}
