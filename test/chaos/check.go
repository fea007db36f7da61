package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/test/compat/replicas"
	"github.com/ottla/ottla/test/numbered"
)

// verdict is what was found at the end.
type verdict struct {
	numbered.Harm
	acked     uint64
	reads     int      // of everything: from each node, twice
	differing []string // replicas whose files are not those of node 1
}

func (v *verdict) ok() bool {
	return v.acked > 0 && v.reads > 0 && v.Harm == numbered.Harm{} && len(v.differing) == 0
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
		word, count, v.acked, v.Lost, v.Duplicated, v.Reordered, v.reads, files, strings.Join(waits, ", "))
	return err
}

// passes is how often everything is read from each node.
const passes = 2

// check reads everything: from each node as a consumer does, where it leads and where it follows, and the files of all nodes.
func check(ctx context.Context, c *cluster, l *load) (*verdict, error) {
	v, acked := &verdict{acked: l.count()}, l.acks.All()
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
				h := numbered.NewHistory(&v.Harm)
				if err := r.read(ctx, id, p, end.Offset, h.Add); err != nil {
					return nil, fmt.Errorf("read partition %d from node %d: %w", p, id, err)
				}
				h.End(acked[p])
			}
			v.reads++
		}
	}
	if err := c.stopAll(ctx); err != nil {
		return nil, err
	}
	return v, v.files(c)
}

// files compares what the nodes have of each partition.
func (v *verdict) files(c *cluster) error {
	for p := range partitions {
		folder := fmt.Sprintf("%s-%d", topic, p)
		for i := 1; i < nodes; i++ {
			size, difference, err := replicas.Compare(c.Options(0).Dir, c.Options(i).Dir, folder)
			if err != nil {
				return err
			}
			if size == 0 && difference == "" {
				difference = "is empty"
			}
			if difference != "" {
				v.differing = append(v.differing, fmt.Sprintf("%s of node %d: it %s, beside node 1's", folder, i+1, difference))
			}
		}
	}
	return nil
}

// errNoNumber says that a record is none of the load's.
var errNoNumber = errors.New("a record that nobody sent")
