package probe

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/bench/machine"
)

// Writes is a load that goes on through failures, and knows how long each partition was without an acknowledged write.
type Writes struct {
	client  *kgo.Client
	stop    chan struct{}
	stopped chan struct{}

	mu       sync.Mutex // a leaf: guards what follows
	acked    []time.Time
	sent     []time.Time // when the newest record that is acknowledged was handed to the client
	longest  []time.Duration
	failures error
}

const (
	// writeEvery is how often each partition is written to; a gap is this long where nothing fails.
	writeEvery = 10 * time.Millisecond
	// again is how soon the client tries again what failed, and asks for the leaders.
	again = 20 * time.Millisecond
)

// Write begins to write a record of a KiB to each partition again and again, with acks=all.
func Write(ctx context.Context, seeds []string, topic string, partitions int) (*Writes, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()),
		// What can't be sent meanwhile must not keep other partitions from being written to.
		kgo.MaxBufferedRecords(1<<20), kgo.MaxBufferedBytes(1<<30),
		kgo.MetadataMinAge(again), kgo.RetryBackoffFn(func(int) time.Duration { return again }), kgo.DialTimeout(time.Second))
	if err != nil {
		return nil, err
	}
	w := &Writes{client: cl, stop: make(chan struct{}), stopped: make(chan struct{}), acked: make([]time.Time, partitions),
		sent: make([]time.Time, partitions), longest: make([]time.Duration, partitions)}
	go w.run(ctx, partitions)
	return w, nil
}

func (w *Writes) run(ctx context.Context, partitions int) {
	defer close(w.stopped)
	value := make([]byte, 1024)
	for next := time.Now(); ; next = next.Add(writeEvery) {
		machine.Nap(time.Until(next))
		select {
		case <-w.stop:
			return
		default:
		}
		for p := range int32(partitions) {
			w.client.Produce(ctx, &kgo.Record{Partition: p, Value: value, Timestamp: next}, w.took)
		}
	}
}

// took notes an acknowledgement.
func (w *Writes) took(r *kgo.Record, err error) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.failures = fmt.Errorf("a write to partition %d failed: %w", r.Partition, err)
		return
	}
	if last := w.acked[r.Partition]; !last.IsZero() {
		w.longest[r.Partition] = max(w.longest[r.Partition], now.Sub(last))
	}
	w.acked[r.Partition], w.sent[r.Partition] = now, r.Timestamp
}

// Await returns when every partition has acknowledged a record that was sent after a moment.
func (w *Writes) Await(ctx context.Context, moment time.Time) error {
	for deadline := time.Now().Add(3 * quiet); ; machine.Nap(writeEvery) {
		late, err := w.late(moment)
		switch {
		case err != nil:
			return err
		case late < 0:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(deadline):
			return fmt.Errorf("partition %d acknowledges nothing for %v", late, 3*quiet)
		}
	}
}

// late is a partition that has not acknowledged what was sent after a moment; -1 where all have.
func (w *Writes) late(moment time.Time) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for p, sent := range w.sent {
		if !sent.After(moment) {
			return p, w.failures
		}
	}
	return -1, w.failures
}

// Forget begins to look for the longest gap anew.
func (w *Writes) Forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.longest)
}

// Longest is the longest time that a partition was without an acknowledgement.
func (w *Writes) Longest() (longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, gap := range w.longest {
		longest = max(longest, gap)
	}
	return longest
}

// Close ends the load.
func (w *Writes) Close() {
	close(w.stop)
	<-w.stopped
	w.client.Close()
}
