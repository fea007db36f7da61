package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// source writes records all the time, each with its partition and offset as value.
type source struct {
	client *kgo.Client
	stop   context.CancelFunc
	done   chan struct{}

	mu   sync.Mutex // guards ends and err
	ends [partitions]int64
	err  error
}

// pace is the time between two rounds of one record a partition.
const pace = 10 * time.Millisecond

// openSource makes the topic and begins to write.
func openSource(ctx context.Context, addrs []string, topic string) (*source, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0),
		kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		return nil, err
	}
	if _, err := kadm.NewClient(client).CreateTopic(ctx, partitions, int16(len(addrs)), nil, topic); err != nil {
		client.Close()
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	s := &source{client: client, stop: stop, done: make(chan struct{})}
	go s.run(ctx, topic)
	return s, nil
}

func (s *source) run(ctx context.Context, topic string) {
	defer close(s.done)
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for n := 0; ; n++ {
		for id := range int32(partitions) {
			r := &kgo.Record{Topic: topic, Partition: id, Value: fmt.Appendf(nil, "%d:%d", id, n)}
			s.client.Produce(context.Background(), r, s.acknowledged)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *source) acknowledged(r *kgo.Record, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && string(r.Value) != fmt.Sprintf("%d:%d", r.Partition, r.Offset) {
		err = fmt.Errorf("%s was written at offset %d", r.Value, r.Offset)
	}
	if err != nil {
		s.err = err
		return
	}
	s.ends[r.Partition] = max(s.ends[r.Partition], r.Offset+1)
}

// acked is where the acknowledged records of each partition end, exclusive.
func (s *source) acked() ([partitions]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ends, s.err
}

// close stops writing and waits for what is under way.
func (s *source) close(ctx context.Context) error {
	s.stop()
	<-s.done
	defer s.client.Close()
	if err := s.client.Flush(ctx); err != nil {
		return err
	}
	_, err := s.acked()
	return err
}
