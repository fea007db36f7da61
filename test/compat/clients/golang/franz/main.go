// Command franz is franz-go in the suite of foreign clients.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/compat/clients/golang/contract"
)

type client struct {
	bootstrap string
	kgo       *kgo.Client
	adm       *kadm.Client
}

func main() {
	contract.Loads = openLoad
	contract.Main("franz", func(bootstrap string) (contract.Client, error) {
		c, err := kgo.NewClient(kgo.SeedBrokers(contract.Brokers(bootstrap)...), kgo.RetryTimeout(15*time.Second), kgo.MetadataMinAge(10*time.Millisecond))
		if err != nil {
			return nil, err
		}
		return &client{bootstrap: bootstrap, kgo: c, adm: kadm.NewClient(c)}, nil
	}, join)
}

func (c *client) Close() { c.kgo.Close() }

// limited is a context with the deadline of one step.
func limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 20*time.Second)
}

func (c *client) Code(err error) (int, bool) {
	var e *kerr.Error
	if errors.As(err, &e) {
		return int(e.Code), true
	}
	return 0, false
}

func (c *client) Brokers() (int, error) {
	ctx, cancel := limited()
	defer cancel()
	m, err := c.adm.BrokerMetadata(ctx)
	return len(m.Brokers), err
}

func (c *client) CreateTopic(name string, partitions int32, replication int16, configs map[string]string) error {
	ctx, cancel := limited()
	defer cancel()
	cs := map[string]*string{}
	for k, v := range configs {
		cs[k] = &v
	}
	_, err := c.adm.CreateTopic(ctx, partitions, replication, cs, name)
	return err
}

func (c *client) DeleteTopic(name string) error {
	ctx, cancel := limited()
	defer cancel()
	r, err := c.adm.DeleteTopic(ctx, name)
	return errors.Join(err, r.Err)
}

func (c *client) Topics() ([]string, error) {
	ctx, cancel := limited()
	defer cancel()
	l, err := c.adm.ListTopics(ctx)
	return l.Names(), err
}

func (c *client) Describe(topic string) ([]contract.Partition, error) {
	ctx, cancel := limited()
	defer cancel()
	l, err := c.adm.ListTopics(ctx, topic)
	if err != nil {
		return nil, err
	}
	var ps []contract.Partition
	for _, p := range l[topic].Partitions.Sorted() {
		ps = append(ps, contract.Partition{ID: p.Partition, Leader: p.Leader, Replicas: len(p.Replicas), ISR: len(p.ISR)})
	}
	return ps, l[topic].Err
}

func (c *client) CreatePartitions(topic string, total int32) error {
	ctx, cancel := limited()
	defer cancel()
	r, err := c.adm.UpdatePartitions(ctx, int(total), topic)
	if err != nil {
		return err
	}
	return r[topic].Err
}

func (c *client) Config(topic, key string) (string, string, error) {
	ctx, cancel := limited()
	defer cancel()
	rs, err := c.adm.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return "", "", err
	}
	for _, r := range rs {
		for _, e := range r.Configs {
			if e.Key == key {
				return e.MaybeValue(), e.Source.String(), r.Err
			}
		}
		err = r.Err
	}
	return "", "", err
}

func (c *client) SetConfig(topic, key, value string) error {
	ctx, cancel := limited()
	defer cancel()
	rs, err := c.adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}, topic)
	if err != nil {
		return err
	}
	return rs[0].Err
}

func (c *client) DeleteRecords(topic string, partition int32, before int64) (int64, error) {
	ctx, cancel := limited()
	defer cancel()
	var os kadm.Offsets
	os.AddOffset(topic, partition, before, -1)
	rs, err := c.adm.DeleteRecords(ctx, os)
	if err != nil {
		return 0, err
	}
	r, _ := rs.Lookup(topic, partition)
	return r.LowWatermark, r.Err
}

func (c *client) list(f func(context.Context, ...string) (kadm.ListedOffsets, error), topic string, partition int32) (int64, error) {
	ctx, cancel := limited()
	defer cancel()
	l, err := f(ctx, topic)
	if err != nil {
		return 0, err
	}
	o, ok := l.Lookup(topic, partition)
	if !ok {
		o, ok = l.Lookup(topic, -1) // kadm's place for a topic's own error
	}
	if !ok {
		return 0, fmt.Errorf("no offset for %s-%d", topic, partition)
	}
	return o.Offset, o.Err
}

func (c *client) Bounds(topic string, partition int32) (int64, int64, error) {
	start, err := c.list(c.adm.ListStartOffsets, topic, partition)
	if err != nil {
		return 0, 0, err
	}
	end, err := c.list(c.adm.ListEndOffsets, topic, partition)
	return start, end, err
}

func (c *client) OffsetAt(topic string, partition int32, ms int64) (int64, error) {
	ctx, cancel := limited()
	defer cancel()
	l, err := c.adm.ListOffsetsAfterMilli(ctx, ms, topic)
	if err != nil {
		return 0, err
	}
	o, _ := l.Lookup(topic, partition)
	if o.Timestamp == -1 { // kadm gives the end when no record is that young
		return -1, o.Err
	}
	return o.Offset, o.Err
}

func (c *client) Produce(topic string, records []contract.Record, how contract.How) error {
	codec := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}[how.Codec]
	acks := map[int]kgo.Acks{0: kgo.NoAck(), 1: kgo.LeaderAck(), -1: kgo.AllISRAcks()}[how.Acks]
	opts := []kgo.Opt{kgo.SeedBrokers(contract.Brokers(c.bootstrap)...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(codec),
		kgo.RequiredAcks(acks), kgo.ProducerBatchMaxBytes(4 << 20)}
	if !how.Idempotent {
		opts = append(opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1))
	}
	p, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer p.Close()
	ctx, cancel := limited()
	defer cancel()
	// The limit of a request is raised so that the broker, not the client, refuses a record that is too large; one
	// request then holds one large record beside the small ones.
	var rs []*kgo.Record
	for _, r := range records {
		k := &kgo.Record{Topic: topic, Partition: r.Partition, Key: r.Key, Value: r.Value, Timestamp: time.UnixMilli(r.Time)}
		for _, h := range r.Headers {
			k.Headers = append(k.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		rs = append(rs, k)
	}
	for len(rs) > 0 {
		n := min(8, len(rs))
		if err := p.ProduceSync(ctx, rs[:n]...).FirstErr(); err != nil {
			return err
		}
		rs = rs[n:]
	}
	return nil
}

func (c *client) Consume(topic string, partition int32, from, end int64) ([]contract.Record, error) {
	k, err := kgo.NewClient(kgo.SeedBrokers(contract.Brokers(c.bootstrap)...), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(from)}}))
	if err != nil {
		return nil, err
	}
	defer k.Close()
	ctx, cancel := limited()
	defer cancel()
	var got []contract.Record
	for {
		fs := k.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			return got, err
		}
		for _, r := range fs.Records() {
			if r.Offset >= end {
				return got, nil
			}
			c := contract.Record{Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value}
			for _, h := range r.Headers {
				c.Headers = append(c.Headers, contract.Header{Key: h.Key, Value: h.Value})
			}
			got = append(got, c)
			if r.Offset == end-1 {
				return got, nil
			}
		}
	}
}
