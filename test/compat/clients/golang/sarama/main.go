// Command sarama is Sarama in the suite of foreign clients.
package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/ottla/ottla/test/compat/clients/golang/contract"
)

type client struct {
	sarama sarama.Client
	adm    sarama.ClusterAdmin
}

func main() {
	contract.Main("sarama", func(bootstrap string) (contract.Client, error) {
		c, err := sarama.NewClient(contract.Brokers(bootstrap), config())
		if err != nil {
			return nil, err
		}
		adm, err := sarama.NewClusterAdminFromClient(c)
		return &client{sarama: c, adm: adm}, err
	}, join)
}

func config() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Metadata.AllowAutoTopicCreation = false
	c.Metadata.Retry.Backoff = 50 * time.Millisecond
	c.Consumer.MaxWaitTime = 50 * time.Millisecond
	c.Consumer.Return.Errors = true
	c.Producer.Return.Successes = true
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Producer.MaxMessageBytes = 4 << 20
	return c
}

func (c *client) Close() { c.adm.Close() } // closes the client too

func (c *client) Code(err error) (int, bool) {
	var topic *sarama.TopicError
	if errors.As(err, &topic) {
		return int(topic.Err), true
	}
	var partition *sarama.TopicPartitionError
	if errors.As(err, &partition) {
		return int(partition.Err), true
	}
	var config *sarama.AlterConfigError
	if errors.As(err, &config) {
		return int(config.Err), true
	}
	var code sarama.KError
	if errors.As(err, &code) {
		return int(code), true
	}
	return 0, false
}

func (c *client) Brokers() (int, error) { return len(c.sarama.Brokers()), nil }

func (c *client) CreateTopic(name string, partitions int32, replication int16, configs map[string]string) error {
	entries := map[string]*string{}
	for k, v := range configs {
		entries[k] = &v
	}
	return c.adm.CreateTopic(name, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: replication, ConfigEntries: entries}, false)
}

func (c *client) DeleteTopic(name string) error { return c.adm.DeleteTopic(name) }

func (c *client) Topics() ([]string, error) {
	all, err := c.adm.ListTopics()
	var names []string
	for name := range all {
		names = append(names, name)
	}
	return names, err
}

func (c *client) Describe(topic string) ([]contract.Partition, error) {
	ts, err := c.adm.DescribeTopics([]string{topic})
	if err != nil {
		return nil, err
	}
	if ts[0].Err != sarama.ErrNoError {
		return nil, ts[0].Err
	}
	var ps []contract.Partition
	for _, p := range ts[0].Partitions {
		ps = append(ps, contract.Partition{ID: p.ID, Leader: p.Leader, Replicas: len(p.Replicas), ISR: len(p.Isr)})
	}
	return ps, nil
}

func (c *client) CreatePartitions(topic string, total int32) error {
	return c.adm.CreatePartitions(topic, total, nil, false)
}

func (c *client) Config(topic, key string) (string, string, error) {
	es, err := c.adm.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{key}})
	if err != nil {
		return "", "", err
	}
	if len(es) != 1 {
		return "", "", fmt.Errorf("%d entries", len(es))
	}
	return es[0].Value, es[0].Source.String(), nil
}

func (c *client) SetConfig(topic, key, value string) error {
	return c.adm.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{
		key: {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value},
	}, false)
}

// DeleteRecords asks for the new start: Sarama does not give the answer's low watermark.
func (c *client) DeleteRecords(topic string, partition int32, before int64) (int64, error) {
	if err := c.adm.DeleteRecords(topic, map[int32]int64{partition: before}); err != nil {
		return 0, err
	}
	start, _, err := c.Bounds(topic, partition)
	return start, err
}

func (c *client) Bounds(topic string, partition int32) (int64, int64, error) {
	start, err := c.sarama.GetOffset(topic, partition, sarama.OffsetOldest)
	if err != nil {
		return 0, 0, err
	}
	end, err := c.sarama.GetOffset(topic, partition, sarama.OffsetNewest)
	return start, end, err
}

func (c *client) OffsetAt(topic string, partition int32, ms int64) (int64, error) {
	return c.sarama.GetOffset(topic, partition, ms)
}

func (c *client) Produce(topic string, records []contract.Record, how contract.How) error {
	conf := config()
	conf.Producer.Compression = map[string]sarama.CompressionCodec{"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP,
		"snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD}[how.Codec]
	conf.Producer.RequiredAcks = sarama.RequiredAcks(how.Acks)
	conf.Producer.Idempotent = how.Idempotent
	conf.Net.MaxOpenRequests = 1
	p, err := sarama.NewSyncProducer(c.addresses(), conf)
	if err != nil {
		return err
	}
	defer p.Close()
	for _, r := range records {
		m := &sarama.ProducerMessage{Topic: topic, Partition: r.Partition, Timestamp: time.UnixMilli(r.Time)}
		if r.Key != nil {
			m.Key = sarama.ByteEncoder(r.Key)
		}
		if r.Value != nil {
			m.Value = sarama.ByteEncoder(r.Value)
		}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(h.Key), Value: h.Value})
		}
		if _, _, err := p.SendMessage(m); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) addresses() []string {
	var all []string
	for _, b := range c.sarama.Brokers() {
		all = append(all, b.Addr())
	}
	return all
}

func (c *client) Consume(topic string, partition int32, from, end int64) ([]contract.Record, error) {
	k, err := sarama.NewConsumerFromClient(c.sarama)
	if err != nil {
		return nil, err
	}
	defer k.Close()
	p, err := k.ConsumePartition(topic, partition, from)
	if err != nil {
		return nil, err
	}
	defer p.AsyncClose()
	deadline := time.After(20 * time.Second)
	var got []contract.Record
	for {
		select {
		case m := <-p.Messages():
			r := contract.Record{Partition: partition, Offset: m.Offset, Time: m.Timestamp.UnixMilli(), Key: m.Key, Value: m.Value}
			for _, h := range m.Headers {
				r.Headers = append(r.Headers, contract.Header{Key: string(h.Key), Value: h.Value})
			}
			got = append(got, r)
			if m.Offset >= end-1 {
				return got, nil
			}
		case err := <-p.Errors():
			return got, err.Err
		case <-deadline:
			return got, fmt.Errorf("nothing more after %d records", len(got))
		}
	}
}
