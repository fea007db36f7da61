package ottla

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/metadata"
)

// pollEvery is the pause between looks at what changes in several nodes.
const pollEvery = time.Millisecond

// until waits until ok, or for ctx: then the error says what was waited for and how it was last.
func until(ctx context.Context, what string, ok func() (bool, string)) error {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		yes, now := ok()
		if yes {
			return nil
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w; now %s", what, ctx.Err(), now)
		}
	}
}

// image is the newest state of the cluster that a node which runs knows; nil if none runs.
func (c *Cluster) image() *metadata.Image {
	var newest *metadata.Image
	for _, n := range c.Nodes() {
		if l := n.alive(); l != nil {
			if i := l.node.Image(); newest == nil || i.Offset > newest.Offset {
				newest = i
			}
		}
	}
	return newest
}

func (c *Cluster) partition(topic string, partition int32) *metadata.Partition {
	if i := c.image(); i != nil {
		if t := i.Topics.ByName(topic); t != nil {
			return t.Partition(partition)
		}
	}
	return nil
}

// Controller is the id of the node that leads the metadata quorum; 0 if none does.
func (c *Cluster) Controller() int32 {
	leader, newest := int32(0), int32(-1)
	for _, n := range c.Nodes() {
		l := n.alive()
		if l == nil {
			continue
		}
		// One that is cut off may not know that another leads: the newer epoch is right.
		if id, epoch := l.node.ActiveController(); int32(id) > 0 && int32(epoch) > newest {
			leader, newest = int32(id), int32(epoch)
		}
	}
	return leader
}

// Leader is the id of the node that leads a partition; 0 if none does or there is no such partition.
func (c *Cluster) Leader(topic string, partition int32) int32 {
	if p := c.partition(topic, partition); p != nil && p.Leader > 0 {
		return int32(p.Leader)
	}
	return 0
}

// ISR are the ids of the in-sync replicas of a partition, sorted.
func (c *Cluster) ISR(topic string, partition int32) []int32 {
	p := c.partition(topic, partition)
	if p == nil {
		return nil
	}
	return slices.Sorted(slices.Values(p.ISR))
}

// HighWatermark is the offset up to which the leader of a partition shows records, exclusive; -1 if nobody leads it.
func (c *Cluster) HighWatermark(topic string, partition int32) int64 {
	n := c.find(c.Leader(topic, partition))
	if n == nil {
		return -1
	}
	return n.HighWatermark(topic, partition)
}

// HighWatermark is the offset up to which the node's replica of a partition knows records to be committed, exclusive; -1 if it has none.
func (n *Node) HighWatermark(topic string, partition int32) int64 {
	if l := n.alive(); l != nil {
		if p, err := l.node.Replica(topic, partition); err == nil {
			return int64(p.HighWatermark())
		}
	}
	return -1
}

// WaitISR returns when the in-sync replicas of a partition are these and no others, or with ctx.
func (c *Cluster) WaitISR(ctx context.Context, topic string, partition int32, ids ...int32) error {
	want := slices.Sorted(slices.Values(ids))
	return until(ctx, fmt.Sprintf("in-sync replicas %v of %s-%d", want, topic, partition), func() (bool, string) {
		isr := c.ISR(topic, partition)
		return slices.Equal(isr, want), fmt.Sprint(isr)
	})
}

// WaitHighWatermark returns when a partition's high watermark is at an offset or past it, or with ctx.
func (c *Cluster) WaitHighWatermark(ctx context.Context, topic string, partition int32, offset int64) error {
	return until(ctx, fmt.Sprintf("high watermark %d of %s-%d", offset, topic, partition), func() (bool, string) {
		hw := c.HighWatermark(topic, partition)
		return hw >= offset, fmt.Sprint(hw)
	})
}

// WaitLeader returns the id of the node that leads a partition, when one that runs does, or with ctx.
func (c *Cluster) WaitLeader(ctx context.Context, topic string, partition int32) (id int32, err error) {
	err = until(ctx, fmt.Sprintf("a leader of %s-%d", topic, partition), func() (bool, string) {
		id = c.Leader(topic, partition)
		n := c.find(id)
		return n != nil && n.Running(), fmt.Sprint("node ", id)
	})
	return id, err
}

// settled returns when all nodes that run have applied what is committed; ErrDown if none runs.
func (c *Cluster) settled(ctx context.Context) error {
	image := c.image()
	if image == nil {
		return ErrDown
	}
	return each(c.Nodes(), func(n *Node, ctx context.Context) error {
		l := n.alive()
		if l == nil {
			return nil
		}
		ctx, cancel := l.within(ctx)
		defer cancel()
		err := l.node.Applied(ctx, image.Offset)
		if l.death.Err() != nil {
			return nil // it runs no more
		}
		return err
	}, ctx)
}
