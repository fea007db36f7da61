package main

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// retry is the pause of clients before they try again: a long one would be measured as the server's.
const retry = 20 * time.Millisecond

// load is one producer for each partition, which sends one record after the other.
type load struct {
	cancel context.CancelFunc
	work   sync.WaitGroup
	once   sync.Once

	mu    sync.Mutex // guards what follows
	acked [partitions]uint64
	last  [partitions]time.Time // when something was acknowledged
	gap   time.Duration         // the longest since longest was called
	err   error                 // of a record that was refused for good
}

func begin(ctx context.Context, seeds []string) (*load, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &load{cancel: cancel}
	for p := range partitions {
		client, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0), kgo.MetadataMinAge(retry), kgo.DialTimeout(time.Second),
			kgo.RetryBackoffFn(func(int) time.Duration { return retry }))
		if err != nil {
			return nil, errors.Join(err, l.end())
		}
		l.last[p] = time.Now()
		l.work.Go(func() {
			defer client.Close()
			l.produce(ctx, client, p)
		})
	}
	return l, nil
}

// produce numbers the records of a partition from 1 on.
func (l *load) produce(ctx context.Context, client *kgo.Client, p int) {
	for n := uint64(1); ctx.Err() == nil; n++ {
		r := &kgo.Record{Partition: int32(p), Value: binary.BigEndian.AppendUint64(nil, n)}
		err := client.ProduceSync(context.WithoutCancel(ctx), r).FirstErr()
		l.mu.Lock()
		if err == nil {
			l.acked[p] = n
		} else {
			l.err = err
		}
		l.note(p)
		l.last[p] = time.Now()
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// note takes in how long nothing was acknowledged. Hold the lock.
func (l *load) note(p int) { l.gap = max(l.gap, time.Since(l.last[p])) }

// longest is the longest time without an acknowledgement in any partition since it was called last.
func (l *load) longest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.last {
		l.note(p)
	}
	gap := l.gap
	l.gap = 0
	return gap
}

func (l *load) count() (n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.acked {
		n += a
	}
	return n
}

// end stops the producers when what they sent last is answered.
func (l *load) end() error {
	l.once.Do(func() {
		l.cancel()
		l.work.Wait()
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
