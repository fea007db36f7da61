package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/compat/replicas"
	"github.com/ottla/ottla/test/numbered"
)

// verdict is what was found in the end.
type verdict struct {
	steps int
	acked map[string]uint64 // by topic
	numbered.Harm
	errors    []string // that a client showed
	compared  int      // files of replicas
	differing []string
	gap       time.Duration // longest without an acknowledgement in a partition
	at        string        // the step that it belongs to
}

func (v verdict) ok() bool {
	return v.acked[franzTopic] > 0 && v.acked[javaTopic] > 0 && v.Harm == numbered.Harm{} && len(v.errors)+len(v.differing) == 0 && v.compared > 0
}

func (v verdict) line(name string) string {
	word, files := "PASS", fmt.Sprintf("%d logs identical to their leaders'", v.compared)
	if !v.ok() {
		word = "FAIL"
	}
	if len(v.differing) > 0 {
		files = "logs differ: " + strings.Join(v.differing, ", ")
	}
	errors := fmt.Sprintf("%d errors of clients", len(v.errors))
	if len(v.errors) > 0 {
		errors += " (" + strings.Join(v.errors[:min(3, len(v.errors))], "; ") + ")"
	}
	return fmt.Sprintf("%s: %s: %d steps, acknowledged %d by franz-go and %d by Java, %d lost, %d duplicated, %d reordered, %s, longest wait %v (%s), %s",
		word, name, v.steps, v.acked[franzTopic], v.acked[javaTopic], v.Lost, v.Duplicated, v.Reordered, errors, v.gap.Round(time.Millisecond), v.at, files)
}

// judge reads all from the start, stops the cluster and compares the files.
func (c *cluster) judge(ctx context.Context, v *verdict, acked map[string][]uint64) error {
	v.acked = map[string]uint64{}
	for topic, numbers := range acked {
		read, err := c.readAll(ctx, topic)
		if err != nil {
			return err
		}
		for p, n := range numbers {
			v.acked[topic] += n
			h := numbered.NewHistory(&v.Harm)
			for _, number := range read[int32(p)] {
				h.Add(number)
			}
			h.End(n)
		}
	}
	details, err := c.admin.ListTopics(ctx, franzTopic, javaTopic, "__consumer_offsets")
	if err != nil {
		return err
	}
	up, err := c.Up()
	for _, i := range slices.Backward(up) { // the controllers last
		err = errors.Join(err, c.stop(ctx, int32(i+1)))
	}
	if err != nil {
		return err
	}
	details.EachPartition(func(p kadm.PartitionDetail) {
		if e := c.compare(v, p); e != nil {
			err = e
		}
	})
	return err
}

// readAll gives the numbers of each partition.
func (c *cluster) readAll(ctx context.Context, topic string) (map[int32][]uint64, error) {
	ends, err := c.admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	read := map[int32][]uint64{}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) { left[o.Partition] = o.Offset })
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			read[r.Partition] = append(read[r.Partition], binary.BigEndian.Uint64(r.Value))
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	return read, nil
}

// compare looks whether each replica's log is the leader's, byte by byte.
func (c *cluster) compare(v *verdict, p kadm.PartitionDetail) error {
	dir := func(id int32) string { return c.Options(int(id - 1)).Dir }
	folder := fmt.Sprintf("%s-%d", p.Topic, p.Partition)
	for _, id := range p.Replicas {
		size, difference, err := replicas.Compare(dir(p.Leader), dir(id), folder)
		if err != nil {
			return err
		}
		if size > 0 {
			v.compared++
		}
		if difference != "" {
			v.differing = append(v.differing, fmt.Sprintf("%s of node %d, led by %d: it %s", folder, id, p.Leader, difference))
		}
	}
	return nil
}
