package kafkatools

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// commits are what a console consumer in a group has passed and commits: at intervals, when it loses partitions, and at its end. As
// Java's consumer it also commits where it would have begun in partitions of which it read nothing. A nil one commits nothing.
type commits struct {
	reset    int64
	interval time.Duration

	ownedMu sync.Mutex
	owned   map[kafka.TopicPartition]bool
	had     map[kafka.TopicPartition]bool // offsets that were committed already
	read    map[kafka.TopicPartition]bool
}

func newCommits(s settings) (*commits, error) {
	interval, err := s.millis("auto.commit.interval.ms", 5*time.Second)
	c := &commits{reset: latest, interval: max(interval, 100*time.Millisecond), owned: map[kafka.TopicPartition]bool{},
		had: map[kafka.TopicPartition]bool{}, read: map[kafka.TopicPartition]bool{}}
	if s["auto.offset.reset"] == "earliest" {
		c.reset = earliest
	}
	return c, err
}

func (c *commits) options() []kgo.Opt {
	each := func(do func(kafka.TopicPartition)) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
			c.ownedMu.Lock()
			defer c.ownedMu.Unlock()
			for topic, partitions := range topics {
				for _, p := range partitions {
					do(kafka.TopicPartition{Topic: topic, Partition: p})
				}
			}
		}
	}
	lose := each(func(tp kafka.TopicPartition) { delete(c.owned, tp) })
	return []kgo.Opt{
		kgo.AutoCommitMarks(), kgo.AutoCommitInterval(c.interval), kgo.WithContext(plainCommits(context.Background())),
		kgo.OnPartitionsAssigned(each(func(tp kafka.TopicPartition) { c.owned[tp] = true })),
		kgo.OnPartitionsRevoked(func(ctx context.Context, cl *kgo.Client, topics map[string][]int32) {
			_ = cl.CommitMarkedOffsets(plainCommits(ctx)) // the next member reads it again
			lose(ctx, cl, topics)
		}),
		kgo.OnPartitionsLost(lose),
		kgo.AdjustFetchOffsetsFn(func(_ context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
			c.ownedMu.Lock()
			defer c.ownedMu.Unlock()
			for topic, partitions := range offsets {
				for p, o := range partitions {
					if o.EpochOffset().Offset >= 0 {
						c.had[kafka.TopicPartition{Topic: topic, Partition: p}] = true
					}
				}
			}
			return offsets, nil
		}),
	}
}

// plainCommits is a context in which commits have no metadata, as those of Java's consumer; the client would name the member there.
func plainCommits(ctx context.Context) context.Context {
	return kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for _, t := range req.Topics {
			for i := range t.Partitions {
				t.Partitions[i].Metadata = kmsg.StringPtr("")
			}
		}
		return nil
	})
}

// passed notes that the records of a partition were printed up to r. nil is none.
func (c *commits) passed(cl *client, r *kgo.Record) {
	if c == nil || r == nil {
		return
	}
	c.read[kafka.TopicPartition{Topic: r.Topic, Partition: r.Partition}] = true
	cl.MarkCommitRecords(r)
}

// finish commits what is left.
func (c *commits) finish(cl *client) {
	if c == nil {
		return
	}
	ctx, cancel := context.WithTimeout(plainCommits(context.Background()), lastWords)
	defer cancel()
	_ = cl.CommitMarkedOffsets(ctx) // it is read again next time
	c.ownedMu.Lock()
	owned, had := maps.Clone(c.owned), maps.Clone(c.had)
	c.ownedMu.Unlock()
	var unread []kafka.TopicPartition
	for tp := range owned {
		if !had[tp] && !c.read[tp] {
			unread = append(unread, tp)
		}
	}
	offsets, err := cl.everyOffset(ctx, unread, c.reset)
	if err != nil || len(offsets) == 0 {
		return
	}
	begin := map[string]map[int32]kgo.EpochOffset{}
	for tp, o := range offsets {
		if begin[tp.Topic] == nil {
			begin[tp.Topic] = map[int32]kgo.EpochOffset{}
		}
		begin[tp.Topic][tp.Partition] = kgo.EpochOffset{Epoch: -1, Offset: o}
	}
	cl.CommitOffsetsSync(ctx, begin, nil)
}
