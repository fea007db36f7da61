package main

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/numbered"
	"github.com/ottla/ottla/test/pause"
)

const (
	// retry is the pause of clients before they try again: a long one would be measured as the server's.
	retry = 20 * time.Millisecond
	// window bounds the records of a partition that are on their way.
	window = 32
	// silence is how long a client waits for an answer before it asks again, beside what a produce may take.
	silence = 300 * time.Millisecond
	// takes bounds a produce.
	takes = time.Second
)

// load is one producer for each partition, which sends records one after the other without waiting for each answer.
type load struct {
	cancel context.CancelFunc
	work   sync.WaitGroup
	once   sync.Once

	acks *numbered.Acks
	mu   sync.Mutex // guards what follows
	sent [partitions]uint64
	err  error // of a record that was refused for good
}

// begin sends so many records a second to each partition.
func begin(ctx context.Context, rate int, seeds []kgo.Opt) (*load, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &load{cancel: cancel, acks: numbered.NewAcks(partitions)}
	for p := range partitions {
		client, err := kgo.NewClient(slices.Concat(seeds, []kgo.Opt{kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0), kgo.ProduceRequestTimeout(takes), kgo.ProducerBatchCompression(kgo.NoCompression())})...)
		if err != nil {
			return nil, errors.Join(err, l.end())
		}
		l.work.Go(func() {
			defer client.Close()
			l.produce(ctx, client, p, time.Second/time.Duration(rate))
		})
	}
	return l, nil
}

// produce numbers the records of a partition from 1 on.
func (l *load) produce(ctx context.Context, client *kgo.Client, p int, every time.Duration) {
	pace := time.NewTicker(every)
	defer pace.Stop()
	free := make(chan struct{}, window)
	for n := uint64(1); ctx.Err() == nil && l.failed() == nil; n++ {
		free <- struct{}{}
		l.mu.Lock()
		l.sent[p] = n
		l.mu.Unlock()
		client.Produce(context.WithoutCancel(ctx), &kgo.Record{Partition: int32(p), Value: binary.BigEndian.AppendUint64(nil, n)}, func(_ *kgo.Record, err error) {
			l.answered(p, n, err)
			<-free
		})
		select {
		case <-pace.C:
		case <-ctx.Done():
		}
	}
	for range window { // what was sent last is answered
		free <- struct{}{}
	}
}

// answered notes that record n of a partition was acknowledged, or why it never will be. Answers come in order.
func (l *load) answered(p int, n uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.err != nil: // what comes after it says nothing
	case err != nil:
		l.err = err
	default:
		l.err = l.acks.Add(p, n)
	}
}

func (l *load) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// progress waits until something was acknowledged in each partition that is sent from now on, but not longer than most, and reports whether it was.
func (l *load) progress(ctx context.Context, most time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	l.mu.Lock()
	from := l.sent
	l.mu.Unlock()
	for !l.beyond(from) {
		if pause.For(ctx, retry) != nil {
			return false
		}
	}
	return true
}

func (l *load) beyond(from [partitions]uint64) bool {
	for p, n := range l.acks.All() {
		if n <= from[p] {
			return false
		}
	}
	return true
}

func (l *load) count() (n uint64) {
	for _, a := range l.acks.All() {
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
	return l.failed()
}
