package kafkatools

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// or is the value of a key, or what stands for none.
func (s settings) or(key, fallback string) string {
	if v, ok := s[key]; ok {
		return strings.TrimSpace(v)
	}
	return fallback
}

// number is a whole number of at least low.
func (s settings) number(key string, fallback, low int64) (int64, error) {
	v, ok := s[key]
	if !ok {
		return fallback, nil
	}
	n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	if err != nil || n < low {
		return 0, fmt.Errorf("Invalid value %s for configuration %s", v, key) //nolint:staticcheck // as Java's client begins
	}
	return n, nil
}

// The defaults of Java's producer, in bytes.
const (
	maxRequestSize = 1 << 20
	bufferMemory   = 32 << 20
)

// codecs are the values of compression.type.
var codecs = map[string]func() kgo.CompressionCodec{
	"none": kgo.NoCompression, "gzip": kgo.GzipCompression, "snappy": kgo.SnappyCompression, "lz4": kgo.Lz4Compression, "zstd": kgo.ZstdCompression,
}

// acks are the values of acks.
var acks = map[string]func() kgo.Acks{"all": kgo.AllISRAcks, "-1": kgo.AllISRAcks, "1": kgo.LeaderAck, "0": kgo.NoAck}

// producer are the options of a client that produces to one topic. largest is the size of its largest record in bytes, 0 when that is
// not known: a batch of this client must hold a record, one of Java's need not.
func (s settings) producer(topic string, largest int) ([]kgo.Opt, error) {
	ack, ok := acks[s.or("acks", "all")]
	if !ok {
		return nil, fmt.Errorf("Invalid value %s for configuration acks: String must be one of: all, -1, 0, 1", s["acks"])
	}
	codec, ok := codecs[s.or("compression.type", "none")]
	if !ok {
		return nil, fmt.Errorf("Invalid value %s for configuration compression.type: String must be one of: none, gzip, snappy, lz4, zstd", s["compression.type"])
	}
	limit, err := s.number("max.request.size", maxRequestSize, 0)
	if err != nil {
		return nil, err
	}
	batch, err := s.number("batch.size", 16<<10, 0)
	if err != nil {
		return nil, err
	}
	if largest == 0 {
		largest = int(limit)
	}
	memory, err := s.number("buffer.memory", bufferMemory, 0)
	if err != nil {
		return nil, err
	}
	linger, err := s.millis("linger.ms", 5*time.Millisecond)
	if err != nil {
		return nil, err
	}
	inflight, err := s.number("max.in.flight.requests.per.connection", 5, 1)
	if err != nil {
		return nil, err
	}
	const overhead = 200 // bytes of a batch and a record around the value, with room to spare
	opts := []kgo.Opt{
		kgo.DefaultProduceTopic(topic), kgo.AllowAutoTopicCreation(), kgo.RequiredAcks(ack()), kgo.ProducerBatchCompression(codec()),
		kgo.ProducerBatchMaxBytes(int32(min(max(batch, int64(largest)+overhead, 512), 1<<30))),
		kgo.MaxBufferedRecords(1 << 30), kgo.MaxBufferedBytes(int(max(memory, 1))), kgo.ProducerLinger(min(linger, time.Minute)),
	}
	idempotent := s.or("enable.idempotence", "true") == "true" && ack() == kgo.AllISRAcks() && s.or("retries", "1") != "0"
	if !idempotent {
		opts = append(opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(int(inflight)))
	}
	return s.producerLimits(opts)
}

// producerLimits adds how often and how long a record is tried.
func (s settings) producerLimits(opts []kgo.Opt) ([]kgo.Opt, error) {
	delivery, err := s.millis("delivery.timeout.ms", 2*time.Minute)
	if err != nil {
		return nil, err
	}
	retries, err := s.number("retries", 1<<31-1, 0)
	if err != nil {
		return nil, err
	}
	opts = append(opts, kgo.UnknownTopicRetries(-1))
	if delivery > 0 { // it counts from the record's timestamp
		opts = append(opts, kgo.RecordDeliveryTimeout(max(delivery, time.Second)))
	}
	if retries < 1<<31-1 {
		opts = append(opts, kgo.RecordRetries(int(retries)))
	}
	if id := s.or("transactional.id", ""); id != "" {
		opts = append(opts, kgo.TransactionalID(id))
	}
	return opts, nil
}

// resets are the values of auto.offset.reset.
var resets = map[string]func() kgo.Offset{
	"earliest": func() kgo.Offset { return kgo.NewOffset().AtStart() },
	"latest":   func() kgo.Offset { return kgo.NewOffset().AtEnd() },
	"none":     kgo.NoResetOffset,
}

// consumer are the options of a client that consumes, but for what it consumes and in which group.
func (s settings) consumer() ([]kgo.Opt, error) {
	reset, ok := resets[s.or("auto.offset.reset", "latest")]
	if !ok {
		return nil, fmt.Errorf("Invalid value %s for configuration auto.offset.reset", s["auto.offset.reset"])
	}
	isolation := kgo.ReadUncommitted()
	switch v := s.or("isolation.level", "read_uncommitted"); v {
	case "read_committed":
		isolation = kgo.ReadCommitted()
	case "read_uncommitted":
	default:
		return nil, fmt.Errorf("Invalid value %s for configuration isolation.level: String must be one of: read_committed, read_uncommitted", v)
	}
	wait, err := s.millis("fetch.max.wait.ms", 500*time.Millisecond)
	if err != nil {
		return nil, err
	}
	opts := []kgo.Opt{kgo.ConsumeResetOffset(reset()), kgo.FetchIsolationLevel(isolation), kgo.FetchMaxWait(wait)}
	if s.or("allow.auto.create.topics", "true") == "true" {
		opts = append(opts, kgo.AllowAutoTopicCreation())
	}
	for _, size := range []struct {
		key      string
		fallback int64
		opt      func(int32) kgo.ConsumerOpt
	}{
		{"fetch.min.bytes", 1, kgo.FetchMinBytes}, {"fetch.max.bytes", 50 << 20, kgo.FetchMaxBytes},
		{"max.partition.fetch.bytes", 1 << 20, kgo.FetchMaxPartitionBytes},
	} {
		n, err := s.number(size.key, size.fallback, 0)
		if err != nil {
			return nil, err
		}
		opts = append(opts, size.opt(int32(min(n, 1<<31-1))))
	}
	return opts, nil
}

// assignors are the classes of partition.assignment.strategy, by their last word.
var assignors = map[string]func() kgo.GroupBalancer{
	"RangeAssignor": kgo.RangeBalancer, "RoundRobinAssignor": kgo.RoundRobinBalancer,
	"StickyAssignor": kgo.StickyBalancer, "CooperativeStickyAssignor": kgo.CooperativeStickyBalancer,
}

// member are the options of a consumer in a group.
func (s settings) member() ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.ConsumerGroup(s["group.id"])}
	if id := s.or("group.instance.id", ""); id != "" {
		opts = append(opts, kgo.InstanceID(id))
	}
	if strings.EqualFold(s.or("group.protocol", "classic"), "consumer") {
		balancer := kgo.StickyBalancer()
		if s.or("group.remote.assignor", "uniform") == "range" {
			balancer = kgo.RangeBalancer()
		}
		return append(opts, kgo.ServerSideBalancer(), kgo.Balancers(balancer)), nil
	}
	var balancers []kgo.GroupBalancer
	classes := s.or("partition.assignment.strategy", "RangeAssignor,CooperativeStickyAssignor")
	for class := range strings.SplitSeq(classes, ",") {
		words := strings.Split(strings.TrimSpace(class), ".")
		balancer, ok := assignors[words[len(words)-1]]
		if !ok {
			return nil, fmt.Errorf("Class %s could not be found", strings.TrimSpace(class))
		}
		balancers = append(balancers, balancer())
	}
	if len(balancers) > 1 { // Java's consumer is eager as long as one of them is
		balancers = slices.DeleteFunc(balancers, func(b kgo.GroupBalancer) bool { return b.IsCooperative() })
	}
	opts = append(opts, kgo.Balancers(balancers...))
	for _, d := range []struct {
		key      string
		fallback time.Duration
		opt      func(time.Duration) kgo.GroupOpt
	}{
		{"session.timeout.ms", 45 * time.Second, kgo.SessionTimeout}, {"heartbeat.interval.ms", 3 * time.Second, kgo.HeartbeatInterval},
		{"max.poll.interval.ms", 5 * time.Minute, kgo.RebalanceTimeout},
	} {
		v, err := s.millis(d.key, d.fallback)
		if err != nil {
			return nil, err
		}
		opts = append(opts, d.opt(v))
	}
	return opts, nil
}
