package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// verdict is what was found in the end.
type verdict struct {
	steps                       int
	acked                       map[string]uint64 // by topic
	lost, duplicated, reordered int
	errors                      []string // that a client showed
	compared                    int      // files of replicas
	differing                   []string
	gap                         time.Duration // longest without an acknowledgement in a partition
	at                          string        // the step that it belongs to
}

func (v verdict) ok() bool {
	return v.acked[franzTopic] > 0 && v.acked[javaTopic] > 0 && v.lost+v.duplicated+v.reordered+len(v.errors)+len(v.differing) == 0 && v.compared > 0
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
		word, name, v.steps, v.acked[franzTopic], v.acked[javaTopic], v.lost, v.duplicated, v.reordered, errors, v.gap.Round(time.Millisecond), v.at, files)
}

// history compares the numbers of a partition with what was acknowledged: 1 to acked, in this order.
func (v *verdict) history(numbers []uint64, acked uint64) {
	next := uint64(1)
	for _, n := range numbers {
		switch {
		case n == next:
			next++
		case n < next:
			v.duplicated++
		default:
			v.lost += int(n - next)
			next = n + 1
		}
	}
	if !slices.IsSorted(numbers) {
		v.reordered++
	}
	if next <= acked {
		v.lost += int(acked - next + 1)
	}
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
			v.history(read[int32(p)], n)
		}
	}
	details, err := c.admin.ListTopics(ctx, franzTopic, javaTopic, "__consumer_offsets")
	if err != nil {
		return err
	}
	for _, m := range slices.Backward(c.members) { // the controllers last
		if m.process != nil {
			if err := c.stop(ctx, m.id); err != nil {
				return err
			}
		}
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
	client, err := kgo.NewClient(kgo.SeedBrokers(c.addresses()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
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
	folder := fmt.Sprintf("%s-%d", p.Topic, p.Partition)
	want, err := segments(filepath.Join(c.member(p.Leader).options.Dir, folder))
	if err != nil {
		return err
	}
	for _, id := range p.Replicas {
		got, err := segments(filepath.Join(c.member(id).options.Dir, folder))
		if err != nil {
			return err
		}
		v.compared++
		if !bytes.Equal(got, want) {
			v.differing = append(v.differing, fmt.Sprintf("%s of node %d (%d bytes, its leader %d has %d)", folder, id, len(got), p.Leader, len(want)))
		}
	}
	return nil
}

// segments are the bytes of a log.
func segments(folder string) ([]byte, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.log"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, b...)
	}
	return all, nil
}
