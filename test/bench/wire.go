package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/record"
)

// conn is a bare connection: what it costs the client is next to nothing, so that the node is the limit.
type conn struct {
	nc  net.Conn
	in  []byte
	fmt *kmsg.RequestFormatter
}

func dial(address string) (*conn, error) {
	nc, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &conn{nc: nc, in: make([]byte, 64<<10), fmt: kmsg.NewRequestFormatter(kmsg.FormatterClientID("bench"))}, nil
}

// frame is a request as it goes out.
func (c *conn) frame(req kmsg.Request) []byte { return c.fmt.AppendRequest(nil, req, 1) }

// call sends a request and decodes the answer.
func (c *conn) call(req kmsg.Request) (kmsg.Response, error) {
	if _, err := c.nc.Write(c.frame(req)); err != nil {
		return nil, err
	}
	body, err := c.answer()
	if err != nil {
		return nil, err
	}
	resp := req.ResponseKind()
	body = body[4:]
	if resp.IsFlexible() && resp.Key() != 18 {
		body = body[1:]
	}
	return resp, resp.ReadFrom(body)
}

// answer reads one frame; it is good until the next.
func (c *conn) answer() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c.nc, size[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(size[:]))
	if n > len(c.in) {
		c.in = make([]byte, n)
	}
	_, err := io.ReadFull(c.nc, c.in[:n])
	return c.in[:n], err
}

// createTopic makes a topic; one that is there is fine.
func (c *conn) createTopic(names []string, partitions int32) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Version, req.TimeoutMillis = 7, 30_000
	for _, name := range names {
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = name, partitions, 1
		req.Topics = append(req.Topics, t)
	}
	resp, err := c.call(req)
	if err != nil {
		return err
	}
	for _, t := range resp.(*kmsg.CreateTopicsResponse).Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil && err != kerr.TopicAlreadyExists {
			return fmt.Errorf("create %s: %w", t.Topic, err)
		}
	}
	return nil
}

// batch makes a batch of about size bytes with records of about each bytes.
func batch(size, each int) ([]byte, error) {
	value := make([]byte, each)
	for i := range value {
		value[i] = "{\"field\":0123456789abcdef, }"[i%28]
	}
	var b record.Builder
	b.Begin(record.NewOptions(0, -1))
	now := time.Now().UnixMilli()
	for b.Count() == 0 || b.Size()+each < size {
		b.Add(now, nil, value)
	}
	return b.AppendTo(nil)
}

func produceRequest(topic string, partition int32, records []byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = 9, 1, 30_000
	t := kmsg.NewProduceRequestTopic()
	t.Topic = topic
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = partition, records
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

func fetchRequest(topic string, partition int32, offset int64, maxBytes int32) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.SessionEpoch = 12, 500, 1, maxBytes, -1
	t := kmsg.NewFetchRequestTopic()
	t.Topic = topic
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, offset, maxBytes
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

// checkProduced fails if an answer to a produce has an error.
func checkProduced(body []byte) error {
	resp := kmsg.NewPtrProduceResponse()
	resp.Version = 9
	if err := resp.ReadFrom(body[5:]); err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
}
