package testkit

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// Create makes a topic with configuration entries key, value, … and returns its id.
func (c *Conn) Create(topic string, partitions int32, entries ...string) kafka.TopicID {
	c.t.Helper()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = topic, partitions, 1
	for i := 0; i+1 < len(entries); i += 2 {
		e := kmsg.NewCreateTopicsRequestTopicConfig()
		e.Name, e.Value = entries[i], &entries[i+1]
		t.Configs = append(t.Configs, e)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, t)
	resp := Ask[*kmsg.CreateTopicsResponse](c, req, 7)
	if code := resp.Topics[0].ErrorCode; code != 0 {
		c.t.Fatalf("create %s: %s", topic, Code(code))
	}
	return resp.Topics[0].TopicID
}

// Delete deletes a topic by name.
func (c *Conn) Delete(topic string) {
	c.t.Helper()
	req := kmsg.NewPtrDeleteTopicsRequest()
	t := kmsg.NewDeleteTopicsRequestTopic()
	t.Topic = &topic
	req.Topics = append(req.Topics, t)
	resp := Ask[*kmsg.DeleteTopicsResponse](c, req, 6)
	if code := resp.Topics[0].ErrorCode; code != 0 {
		c.t.Fatalf("delete %s: %s", topic, Code(code))
	}
}

// BatchOf is an uncompressed batch with one record for each value, of times first, first+1, … in ms since 1970.
func BatchOf(first int64, values ...string) []byte {
	return Batch(record.NewOptions(0, 0), first, values...)
}

// Batch is a batch of the given options.
func Batch(o record.Options, first int64, values ...string) []byte {
	var b record.Builder
	b.Begin(o)
	for i, v := range values {
		b.Add(first+int64(i), nil, []byte(v))
	}
	batch, err := b.AppendTo(nil)
	if err != nil {
		panic(err) // options that can't be
	}
	return batch
}

// ProduceRequest is a request with one batch for one partition, for version 12 and before.
func ProduceRequest(topic string, partition int32, acks int16, batch []byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = acks, 10_000
	t := kmsg.NewProduceRequestTopic()
	t.Topic = topic
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = partition, batch
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

// Produce writes a batch with acks=all and returns the outcome.
func (c *Conn) Produce(topic string, partition int32, batch []byte) kmsg.ProduceResponseTopicPartition {
	c.t.Helper()
	resp := Ask[*kmsg.ProduceResponse](c, ProduceRequest(topic, partition, -1, batch), 12)
	return resp.Topics[0].Partitions[0]
}

// MustProduce is Produce for a batch that must be taken; it returns the base offset.
func (c *Conn) MustProduce(topic string, partition int32, batch []byte) int64 {
	c.t.Helper()
	p := c.Produce(topic, partition, batch)
	if p.ErrorCode != 0 {
		c.t.Fatalf("produce to %s-%d: %s", topic, partition, Code(p.ErrorCode))
	}
	return p.BaseOffset
}

// FetchRequest is a request for one partition from an offset on, without a session, that does not wait.
func FetchRequest(topic string, partition int32, from int64) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.MinBytes, req.MaxWaitMillis, req.SessionEpoch = 50<<20, 1, 0, -1
	t := kmsg.NewFetchRequestTopic()
	t.Topic = topic
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes, p.CurrentLeaderEpoch = partition, from, 1<<20, -1
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

// Fetch reads one partition, at once.
func (c *Conn) Fetch(topic string, partition int32, from int64) kmsg.FetchResponseTopicPartition {
	c.t.Helper()
	resp := Ask[*kmsg.FetchResponse](c, FetchRequest(topic, partition, from), 12)
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		c.t.Fatalf("fetch %s-%d: %s, %d topics", topic, partition, Code(resp.ErrorCode), len(resp.Topics))
	}
	return resp.Topics[0].Partitions[0]
}

// Values are the values of all records of batches, each as offset=value.
func Values(batches []byte) ([]string, error) {
	var all []string
	var w record.Walker
	defer w.Close()
	for len(batches) > 0 {
		b, rest, err := record.Next(batches)
		if err != nil {
			return all, err
		}
		if err := b.CheckCRC(); err != nil {
			return all, err
		}
		w.Reset(b, 64<<20)
		for w.Next() {
			all = append(all, fmt.Sprintf("%d=%s", int64(b.BaseOffset())+int64(w.Record.OffsetDelta), w.Record.Value))
		}
		if w.Err() != nil {
			return all, w.Err()
		}
		batches = rest
	}
	return all, nil
}

// Read returns what a partition holds from an offset on, as Values shows it.
func (c *Conn) Read(topic string, partition int32, from int64) []string {
	c.t.Helper()
	p := c.Fetch(topic, partition, from)
	if p.ErrorCode != 0 {
		c.t.Fatalf("fetch %s-%d: %s", topic, partition, Code(p.ErrorCode))
	}
	values, err := Values(p.RecordBatches)
	if err != nil {
		c.t.Fatalf("fetch %s-%d: %v", topic, partition, err)
	}
	return values
}

// DeleteRecords deletes the records below upTo and returns the low watermark.
func (c *Conn) DeleteRecords(topic string, partition int32, upTo int64) int64 {
	c.t.Helper()
	p := kmsg.NewDeleteRecordsRequestTopicPartition()
	p.Partition, p.Offset = partition, upTo
	t := kmsg.NewDeleteRecordsRequestTopic()
	t.Topic, t.Partitions = topic, append(t.Partitions, p)
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.Topics = append(req.Topics, t)
	got := Ask[*kmsg.DeleteRecordsResponse](c, req, 2).Topics[0].Partitions[0]
	if got.ErrorCode != 0 {
		c.t.Fatalf("delete from %s: %s", topic, Code(got.ErrorCode))
	}
	return got.LowWatermark
}

// Topics are the names and ids of all topics.
func (c *Conn) Topics() map[string]kafka.TopicID {
	c.t.Helper()
	req := kmsg.NewPtrMetadataRequest()
	resp := Ask[*kmsg.MetadataResponse](c, req, 12)
	all := map[string]kafka.TopicID{}
	for _, t := range resp.Topics {
		all[*t.Topic] = t.TopicID
	}
	return all
}
