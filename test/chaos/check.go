package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// verdict is what was found at the end.
type verdict struct {
	acked                       uint64
	reads                       int // of everything: from each node, twice
	lost, duplicated, reordered int
	differing                   []string // replicas whose files are not the leader's
}

func (v *verdict) ok() bool {
	return v.acked > 0 && v.reads > 0 && v.lost == 0 && v.duplicated == 0 && v.reordered == 0 && len(v.differing) == 0
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
	_, err := fmt.Printf("%s: %d faults, %d acknowledged, %d lost, %d duplicated, %d reordered in %d reads of all, %s, longest wait: %s\n",
		word, count, v.acked, v.lost, v.duplicated, v.reordered, v.reads, files, strings.Join(waits, ", "))
	return err
}

// passes is how often everything is read from each node.
const passes = 2

// check reads everything: from each node as a consumer does, where it leads and where it follows, and the files of all nodes.
func check(ctx context.Context, c *cluster, l *load) (*verdict, error) {
	v := &verdict{acked: l.count()}
	ends, err := c.admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, err
	}
	r, err := newReader(c)
	if err != nil {
		return nil, err
	}
	defer r.client.Close()
	for range passes {
		for id := int32(1); id <= nodes; id++ {
			for p := range int32(partitions) {
				end, _ := ends.Lookup(topic, p)
				h := history{v: v}
				if err := r.read(ctx, id, p, end.Offset, h.add); err != nil {
					return nil, fmt.Errorf("read partition %d from node %d: %w", p, id, err)
				}
				h.end(l.acked[p])
			}
			v.reads++
		}
	}
	if err := c.each(func(i int) error { return c.stop(ctx, i) }); err != nil {
		return nil, err
	}
	return v, v.files(c)
}

// history is the numbers of a partition, in the order in which they were read.
type history struct {
	v    *verdict
	seen []uint64 // a bit for each number
	last uint64
}

func (h *history) add(n uint64) {
	for uint64(len(h.seen)) <= n/64 {
		h.seen = append(h.seen, 0)
	}
	if h.seen[n/64]&(1<<(n%64)) != 0 {
		h.v.duplicated++
	} else if n < h.last {
		h.v.reordered++
	}
	h.seen[n/64] |= 1 << (n % 64)
	h.last = max(h.last, n)
}

// end compares them with what was acknowledged: 1 to acked.
func (h *history) end(acked uint64) {
	for n := uint64(1); n <= acked; n++ {
		if n/64 >= uint64(len(h.seen)) || h.seen[n/64]&(1<<(n%64)) == 0 {
			h.v.lost++
		}
	}
}

// files compares what the nodes have of each partition.
func (v *verdict) files(c *cluster) error {
	for p := range partitions {
		folder := fmt.Sprintf("%s-%d", topic, p)
		for i := 1; i < nodes; i++ {
			difference, err := compare(c.options[0].Dir, c.options[i].Dir, folder)
			if err != nil {
				return err
			}
			if difference != "" {
				v.differing = append(v.differing, fmt.Sprintf("%s of node %d: %s", folder, i+1, difference))
			}
		}
	}
	return nil
}

// errNoNumber says that a record is none of the load's.
var errNoNumber = errors.New("a record that nobody sent")
