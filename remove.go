package ottla

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// RemoveNode has a node leave for good, whether it runs or not, and returns when the cluster has forgotten it: its replicas are on other nodes then,
// its vote on the metadata is gone, and it has stopped. Its id is not given to another one. Nothing is changed where one of its replicas has nowhere
// to go, as all other nodes have the partition already: add a node before. The last node with a vote stays. Only clusters in memory shrink.
func (c *Cluster) RemoveNode(ctx context.Context, id int32) error {
	if c.o.dir != "" {
		return errors.New("a cluster in a directory does not shrink: leave out Dir")
	}
	if err := c.changing.take(ctx); err != nil {
		return err
	}
	defer c.changing.give()
	n := c.Node(id)
	for _, step := range []func(context.Context, *Node) error{c.evacuate, c.unseat, c.forget} {
		if err := step(ctx, n); err != nil {
			return fmt.Errorf("remove node %d: %w", id, err)
		}
	}
	c.mu.Lock()
	c.nodes = slices.DeleteFunc(c.nodes, func(other *Node) bool { return other == n })
	c.mu.Unlock()
	n.close()
	return c.settled(ctx)
}

// evacuate has other nodes take the replicas of one, and returns when they have.
func (c *Cluster) evacuate(ctx context.Context, n *Node) error {
	image := c.image()
	if image == nil {
		return ErrDown
	}
	moves, err := c.evacuation(image, n.id)
	if err != nil {
		return err
	}
	for _, m := range moves {
		if err := c.assign(ctx, m.topic, m.partition, m.replicas); err != nil {
			return fmt.Errorf("move its replica of %s-%d: %w", m.topic, m.partition, err)
		}
	}
	for _, m := range moves {
		if err := until(ctx, fmt.Sprintf("replicas %v of %s-%d", m.replicas, m.topic, m.partition), func() (bool, string) {
			p := c.partition(m.topic, m.partition)
			return p == nil || slices.Equal(p.Replicas, m.replicas) && len(p.Adding)+len(p.Removing) == 0, fmt.Sprintf("%+v", p)
		}); err != nil {
			return err
		}
	}
	return nil
}

// assignment is where the replicas of a partition are to be.
type assignment struct {
	topic     string
	partition int32
	replicas  []int32
}

// evacuation finds a node in the place of one, wherever that has a replica: of those that have none of the partition the one that was chosen
// least often so far.
func (c *Cluster) evacuation(image *metadata.Image, leaver int32) (moves []assignment, err error) {
	chosen := map[int32]int{}
	for _, t := range image.Topics.Sorted() {
		for _, p := range t.Partitions {
			at := slices.Index(p.Replicas, leaver)
			if at < 0 {
				continue
			}
			best := int32(0)
			for _, n := range c.Nodes() {
				if n.Running() && !slices.Contains(p.Replicas, n.id) && (best == 0 || chosen[n.id] < chosen[best]) {
					best = n.id
				}
			}
			if best == 0 {
				return nil, fmt.Errorf("its replica of %s-%d has nowhere to go: %v are the nodes that have the partition: %w", t.Name, p.ID, p.Replicas, kerr.InvalidReplicaAssignment)
			}
			chosen[best]++
			replicas := slices.Clone(p.Replicas)
			replicas[at] = best
			moves = append(moves, assignment{t.Name, p.ID, replicas})
		}
	}
	return moves, nil
}

// unseat takes a node's vote.
func (c *Cluster) unseat(ctx context.Context, n *Node) error {
	if n.vote == (kafka.UUID{}) {
		return nil
	}
	req := kmsg.NewPtrRemoveRaftVoterRequest()
	req.VoterID, req.VoterDirectoryID = n.id, n.vote
	resp, err := request[*kmsg.RemoveRaftVoterResponse](ctx, c, req)
	if err == nil {
		err = refusedBy(resp.ErrorCode, resp.ErrorMessage)
	}
	if err != nil {
		return fmt.Errorf("take its vote: %w", err)
	}
	n.vote = kafka.UUID{}
	return nil
}

// forget stops a node, and has the others strike it off.
func (c *Cluster) forget(ctx context.Context, n *Node) error {
	if err := n.Stop(ctx); err != nil && !errors.Is(err, ErrDown) {
		return err
	}
	req := kmsg.NewPtrUnregisterBrokerRequest()
	req.BrokerID = n.id
	resp, err := request[*kmsg.UnregisterBrokerResponse](ctx, c, req)
	if err == nil {
		err = refusedBy(resp.ErrorCode, resp.ErrorMessage)
	}
	if err != nil && !errors.Is(err, kerr.BrokerIDNotRegistered) {
		return fmt.Errorf("unregister it: %w", err)
	}
	return until(ctx, "the others know", func() (bool, string) {
		image := c.image()
		return image != nil && image.Cluster.Broker(kafka.NodeID(n.id)) == nil, "it is registered"
	})
}
