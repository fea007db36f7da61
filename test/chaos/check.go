package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// verdict is what was found at the end.
type verdict struct {
	acked                       uint64
	lost, duplicated, reordered int
	differing                   []string // replicas whose files are not the leader's
}

func (v *verdict) ok() bool {
	return v.acked > 0 && v.lost == 0 && v.duplicated == 0 && v.reordered == 0 && len(v.differing) == 0
}

func (v *verdict) print(count int, gaps map[string]time.Duration) error {
	var waits []string
	for _, name := range slices.Sorted(maps.Keys(gaps)) {
		waits = append(waits, fmt.Sprintf("%s %v", name, gaps[name].Round(time.Millisecond)))
	}
	files := "replicas identical"
	if len(v.differing) > 0 {
		files = "replicas differ: " + strings.Join(v.differing, " ")
	}
	word := "PASS"
	if !v.ok() {
		word = "FAIL"
	}
	_, err := fmt.Printf("%s: %d faults, %d acknowledged, %d lost, %d duplicated, %d reordered, longest wait: %s, %s\n",
		word, count, v.acked, v.lost, v.duplicated, v.reordered, strings.Join(waits, ", "), files)
	return err
}

// check reads everything: as a consumer does, and the files of all nodes.
func check(ctx context.Context, c *cluster, l *load) (*verdict, error) {
	v := &verdict{acked: l.count()}
	ends, err := c.admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.addresses()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var read [partitions][]uint64
	for left := int64(partitions); left > 0; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(r *kgo.Record) { read[r.Partition] = append(read[r.Partition], binary.BigEndian.Uint64(r.Value)) })
		left = 0
		for p := range int32(partitions) {
			if end, ok := ends.Lookup(topic, p); !ok || int64(len(read[p])) < end.Offset {
				left++
			}
		}
	}
	for p := range read {
		v.history(read[p], l.acked[p])
	}
	for _, n := range c.nodes {
		if err := n.Stop(ctx); err != nil {
			return nil, err
		}
	}
	return v, v.files(c)
}

// history compares the numbers of a partition with what was acknowledged: 1 to acked.
func (v *verdict) history(read []uint64, acked uint64) {
	seen := make(map[uint64]bool, len(read))
	var last uint64
	for _, n := range read {
		if seen[n] {
			v.duplicated++
		} else if n < last {
			v.reordered++
		}
		seen[n], last = true, max(last, n)
	}
	for n := uint64(1); n <= acked; n++ {
		if !seen[n] {
			v.lost++
		}
	}
}

// files compares what the nodes have of each partition.
func (v *verdict) files(c *cluster) error {
	for p := range partitions {
		folder := fmt.Sprintf("%s-%d", topic, p)
		want, err := segments(filepath.Join(c.options[0].Dir, folder))
		if err != nil {
			return err
		}
		for i := 1; i < nodes; i++ {
			got, err := segments(filepath.Join(c.options[i].Dir, folder))
			if err != nil {
				return err
			}
			if !bytes.Equal(got, want) {
				v.differing = append(v.differing, fmt.Sprintf("%s of node %d (%d bytes, node 1 has %d)", folder, i+1, len(got), len(want)))
			}
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
