package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// FranzProduce produces with franz-go: acks=1, batches of 256 KiB, linger 5 ms, no compression.
func FranzProduce(ctx context.Context, address, topic string, each int, l Limit, opts ...kgo.Opt) (Done, error) {
	opts = append([]kgo.Opt{
		kgo.SeedBrokers(address), kgo.DefaultProduceTopic(topic), kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite(),
		kgo.MaxProduceRequestsInflightPerBroker(5), kgo.ProducerBatchMaxBytes(256 << 10), kgo.ProducerLinger(5 * time.Millisecond),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(50_000),
		kgo.RecordPartitioner(kgo.UniformBytesPartitioner(256<<10, true, true, nil)),
	}, opts...)
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return Done{}, err
	}
	defer cl.Close()
	value := Value(rand.New(rand.NewPCG(1, 1)), each)
	var acknowledged atomic.Int64
	var failed atomic.Pointer[error]
	began := time.Now()
	for sent := int64(0); (l.Bytes == 0 || sent*int64(each) < l.Bytes) && (l.Time == 0 || time.Since(began) < l.Time) && failed.Load() == nil; sent++ {
		cl.Produce(ctx, &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.Store(&err)
				return
			}
			acknowledged.Add(1)
		})
	}
	err = cl.Flush(ctx)
	if first := failed.Load(); first != nil {
		err = fmt.Errorf("franz-go: %w", *first)
	}
	n := acknowledged.Load()
	return Done{Records: n, Bytes: n * int64(each), Took: time.Since(began)}, err
}

// FranzConsume reads the records of a topic from its beginning with franz-go, again and again until the limit.
func FranzConsume(ctx context.Context, address, topic string, records int64, l Limit) (Done, error) {
	var done Done
	began := time.Now()
	more := func() bool {
		return (l.Bytes == 0 || done.Bytes < l.Bytes) && (l.Time == 0 || time.Since(began) < l.Time) && ctx.Err() == nil
	}
	for more() {
		if err := franzOnce(ctx, address, topic, records, more, &done); err != nil {
			return done, err
		}
	}
	done.Took = time.Since(began)
	return done, ctx.Err()
}

func franzOnce(ctx context.Context, address, topic string, records int64, more func() bool, done *Done) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer cl.Close()
	for end := done.Records + records; done.Records < end && more(); {
		poll, cancel := context.WithTimeout(ctx, patience)
		fetches := cl.PollFetches(poll)
		cancel()
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("franz-go: %d records to go: %w", end-done.Records, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			done.Records++
			done.Bytes += int64(len(r.Key) + len(r.Value))
		})
	}
	return nil
}
