package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	topic      = "crash"
	partitions = 12
	producers  = 4 // the even ones are idempotent
	patience   = 60 * time.Second
)

// load is the producers and the follower of one round, and guards the history that they all write to.
type load struct {
	addr string
	stop chan struct{} // closed when producers shall send nothing new
	work sync.WaitGroup

	mu     sync.Mutex // guards what follows
	h      *history
	next   map[id]uint32  // by producer and partition: the next sequence; seq is 0 in the key
	failed map[string]int // sends that ended in an error, by its text: nobody knows their outcome
	open   int            // sends without an outcome yet
}

// A producer sends a burst at a time and rests between them: the load has to last until the kill, and all of it is
// kept in memory and read back often.
const (
	burst    = 50
	rest     = 10 * time.Millisecond
	perRound = 20_000 // records of one producer, if a round lasts that long
)

func codec(producer uint32) kgo.CompressionCodec {
	return []kgo.CompressionCodec{kgo.NoCompression(), kgo.Lz4Compression(), kgo.SnappyCompression(), kgo.ZstdCompression(),
		kgo.GzipCompression()}[producer%5]
}

// newProducer makes the client of one producer. Each round has its own, so that a run sees many producer ids.
func newProducer(addr string, producer uint32) (*kgo.Client, error) {
	opts := []kgo.Opt{kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(codec(producer)), kgo.ProducerLinger(time.Millisecond), kgo.ProducerBatchMaxBytes(64 << 10),
		kgo.MaxBufferedRecords(400), kgo.RecordDeliveryTimeout(patience), kgo.RetryTimeout(patience), kgo.MetadataMinAge(20 * time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }), kgo.DialTimeout(time.Second)}
	if producer%2 != 0 {
		// Without idempotence only one request in flight keeps the order over retries.
		opts = append(opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1))
	}
	return kgo.NewClient(opts...)
}

// begin starts the producers and the follower of a round.
func (l *load) begin(ctx context.Context, round int, random *rand.Rand) error {
	l.stop = make(chan struct{})
	for i := range producers {
		producer := uint32(round*producers + i)
		client, err := newProducer(l.addr, producer)
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.h.idempotent[producer] = producer%2 == 0
		l.mu.Unlock()
		choose := rand.New(rand.NewPCG(random.Uint64(), uint64(producer)))
		l.work.Go(func() {
			defer client.Close()
			l.produce(ctx, client, producer, choose)
		})
	}
	follower, err := kgo.NewClient(kgo.SeedBrokers(l.addr), kgo.FetchMaxWait(50*time.Millisecond), kgo.MetadataMinAge(20*time.Millisecond),
		kgo.ConsumePartitions(allFrom(kgo.NewOffset().AtEnd())))
	if err != nil {
		return err
	}
	l.work.Go(func() {
		defer follower.Close()
		l.follow(ctx, follower)
	})
	return nil
}

func allFrom(o kgo.Offset) map[string]map[int32]kgo.Offset {
	ps := map[int32]kgo.Offset{}
	for p := range int32(partitions) {
		ps[p] = o
	}
	return map[string]map[int32]kgo.Offset{topic: ps}
}

// produce sends numbered records until the round ends, then waits for every answer.
func (l *load) produce(ctx context.Context, client *kgo.Client, producer uint32, choose *rand.Rand) {
	pace := time.NewTicker(rest)
	defer pace.Stop()
	stopped := false
	for sent := 0; sent < perRound && !stopped; sent++ {
		if sent%burst == 0 {
			select {
			case <-pace.C:
			case <-l.stop:
				stopped = true
				continue
			case <-ctx.Done():
				return
			}
		}
		r := l.invoke(producer, int32(choose.IntN(partitions)))
		record := &kgo.Record{Topic: topic, Partition: r.partition, Value: r.encode(choose.IntN(400))}
		client.Produce(ctx, record, func(k *kgo.Record, err error) { l.answer(r, k, err) })
	}
	if err := client.Flush(ctx); err != nil {
		l.violate("C22 liveness", "producer %d: %v", producer, err)
	}
}

func (l *load) invoke(producer uint32, partition int32) id {
	l.mu.Lock()
	defer l.mu.Unlock()
	counter := id{producer: producer, partition: partition}
	r := counter
	r.seq = l.next[counter]
	l.next[counter]++
	l.h.invoked[r] = true
	l.open++
	return r
}

func (l *load) answer(r id, k *kgo.Record, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if err != nil {
		l.failed[fmt.Sprintf("%v (idempotent %v)", err, r.producer%2 == 0)]++
		return
	}
	l.h.ack(r, position{k.Partition, k.Offset})
}

func (l *load) violate(check, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.h.violate(check, format, args...)
}

// follow reads along as consumers do; what it has seen may never be gone or be another record.
func (l *load) follow(ctx context.Context, client *kgo.Client) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		select {
		case <-l.stop:
		case <-ctx.Done():
		}
	}()
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		l.mu.Lock()
		fetches.EachRecord(func(k *kgo.Record) {
			if r, ok := decode(k.Value); ok {
				l.h.observe(r, position{k.Partition, k.Offset})
			} else {
				l.h.violate("C2 phantom", "partition %d offset %d: a follower read %d bytes that nobody sent", k.Partition, k.Offset, len(k.Value))
			}
		})
		l.mu.Unlock()
	}
}

// inFlight is the number of records without an answer.
func (l *load) inFlight() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

// end lets the producers finish what they have in flight.
func (l *load) end() {
	close(l.stop)
	l.work.Wait()
}

// verify reads every partition from its start to its end and checks it.
func (l *load) verify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(l.addr), kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return err
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	if err := starts.Error(); err != nil {
		return err
	}
	if err := ends.Error(); err != nil {
		return err
	}
	records, err := readAll(ctx, client, starts, ends)
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range int32(partitions) {
		start, _ := starts.Lookup(topic, p)
		end, _ := ends.Lookup(topic, p)
		l.h.partitionRead(p, start.Offset, end.Offset, records[p])
	}
	return err
}

// readAll reads until each partition's end; a reading that comes to no end is an error beside what it has.
func readAll(ctx context.Context, client *kgo.Client, starts, ends kadm.ListedOffsets) (map[int32][]read, error) {
	open := map[int32]int64{} // ends of the partitions that are not read yet
	from := map[int32]kgo.Offset{}
	for p := range int32(partitions) {
		start, _ := starts.Lookup(topic, p)
		end, _ := ends.Lookup(topic, p)
		if start.Offset < end.Offset {
			open[p], from[p] = end.Offset, kgo.NewOffset().At(start.Offset)
		}
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	records := map[int32][]read{}
	for len(open) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return records, fmt.Errorf("read back: %w, with %d partitions to go", err, len(open))
		}
		for _, e := range fetches.Errors() {
			return records, fmt.Errorf("read back partition %d: %w", e.Partition, e.Err)
		}
		fetches.EachRecord(func(k *kgo.Record) {
			records[k.Partition] = append(records[k.Partition], read{k.Offset, k.Value})
			if k.Offset >= open[k.Partition]-1 {
				delete(open, k.Partition)
			}
		})
	}
	return records, nil
}
