package ottla

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/coordinator"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/peer"
)

// request asks a node of the cluster that runs.
func request[Resp kmsg.Response](ctx context.Context, c *Cluster, req kmsg.Request) (resp Resp, err error) {
	n := c.anyNode()
	if n == nil {
		return resp, ErrDown
	}
	client := c.asker(n, ownName)
	defer client.Close()
	req.SetVersion(req.MaxVersion())
	answer, err := client.Do(ctx, req)
	if err != nil {
		return resp, err
	}
	return answer.(Resp), nil // it was decoded as the answer to req
}

// largestAnswer bounds an answer to the cluster itself, in bytes: that to a fetch of a client's may be one.
const largestAnswer = 100 << 20

// asker asks a node as the cluster itself does: no interceptor sees it.
func (c *Cluster) asker(n *Node, id string) *peer.Client {
	return peer.New(peer.Options{ID: id, MaxFrame: largestAnswer, Dial: func(ctx context.Context) (net.Conn, error) {
		return c.own.Dial(ctx, "tcp", n.addr)
	}})
}

// anyNode is one that runs, the active controller if it does: it need not forward. Nil is none.
func (c *Cluster) anyNode() *Node {
	if n := c.find(c.Controller()); n != nil && n.Running() {
		return n
	}
	for _, n := range c.Nodes() {
		if n.Running() {
			return n
		}
	}
	return nil
}

// refusedBy is the error of an answer, with its words.
func refusedBy(code int16, message *string) error {
	err := kerr.ErrorForCode(code)
	if err != nil && message != nil {
		return fmt.Errorf("%w: %s", err, *message)
	}
	return err
}

// CreateTopic makes a topic, with settings such as "cleanup.policy=compact", and returns when all nodes that run serve it.
func (c *Cluster) CreateTopic(ctx context.Context, name string, partitions, replicas int, settings ...string) error {
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, int32(partitions), int16(replicas)
	for _, line := range settings {
		config := kmsg.NewCreateTopicsRequestTopicConfig()
		key, value, err := keyValue(line)
		if err != nil {
			return err
		}
		config.Name, config.Value = key, &value
		t.Configs = append(t.Configs, config)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, t)
	resp, err := request[*kmsg.CreateTopicsResponse](ctx, c, req)
	if err != nil {
		return fmt.Errorf("create topic %s: %w", name, err)
	}
	for _, made := range resp.Topics {
		if err := refusedBy(made.ErrorCode, made.ErrorMessage); err != nil {
			return fmt.Errorf("create topic %s: %w", name, err)
		}
	}
	return c.settled(ctx)
}

// MoveLeader has a node lead a partition that it has an in-sync replica of, and returns when it does. It stays the one that is preferred. Errors wrap
// a kerr value where a node refuses.
func (c *Cluster) MoveLeader(ctx context.Context, topic string, partition, node int32) error {
	what := fmt.Sprintf("have node %d lead %s-%d", node, topic, partition)
	if c.image() == nil {
		return fmt.Errorf("%s: %w", what, ErrDown)
	}
	p := c.partition(topic, partition)
	if p == nil {
		return fmt.Errorf("%s: %w", what, kerr.UnknownTopicOrPartition)
	}
	if !slices.Contains(p.Replicas, node) {
		return fmt.Errorf("%s: it has no replica: %w", what, kerr.InvalidReplicaAssignment)
	}
	if p.Replicas[0] != node {
		others := slices.DeleteFunc(slices.Clone(p.Replicas), func(id int32) bool { return id == node })
		if err := c.assign(ctx, topic, partition, append([]int32{node}, others...)); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if err := c.electPreferred(ctx, topic, partition); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := until(ctx, what, func() (bool, string) {
		leader := c.Leader(topic, partition)
		return leader == node, fmt.Sprintf("node %d does", leader)
	}); err != nil {
		return err
	}
	return c.settled(ctx)
}

// ShuffleLeaders has another in-sync replica lead each partition that has one on a node that runs, whatever the topic.
func (c *Cluster) ShuffleLeaders(ctx context.Context) error {
	image := c.image()
	if image == nil {
		return ErrDown
	}
	for _, t := range image.Topics.Sorted() {
		for i, p := range t.Partitions {
			others := slices.DeleteFunc(slices.Clone(p.ISR), func(id int32) bool {
				return id == int32(p.Leader) || !c.Node(id).Running()
			})
			if len(others) == 0 {
				continue
			}
			if err := c.MoveLeader(ctx, t.Name, int32(i), others[rand.IntN(len(others))]); err != nil {
				return err
			}
		}
	}
	return nil
}

// assign has a partition get these replicas, and does not wait until it has.
func (c *Cluster) assign(ctx context.Context, topic string, partition int32, replicas []int32) error {
	p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
	p.Partition, p.Replicas = partition, replicas
	t := kmsg.NewAlterPartitionAssignmentsRequestTopic()
	t.Topic, t.Partitions = topic, append(t.Partitions, p)
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	req.Topics = append(req.Topics, t)
	resp, err := request[*kmsg.AlterPartitionAssignmentsResponse](ctx, c, req)
	if err != nil {
		return err
	}
	err = refusedBy(resp.ErrorCode, resp.ErrorMessage)
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err == nil {
				err = refusedBy(p.ErrorCode, p.ErrorMessage)
			}
		}
	}
	return err
}

// electPreferred has the first replica of a partition lead it.
func (c *Cluster) electPreferred(ctx context.Context, topic string, partition int32) error {
	t := kmsg.NewElectLeadersRequestTopic()
	t.Topic, t.Partitions = topic, []int32{partition}
	req := kmsg.NewPtrElectLeadersRequest()
	req.Topics = append(req.Topics, t)
	resp, err := request[*kmsg.ElectLeadersResponse](ctx, c, req)
	if err != nil {
		return err
	}
	err = kerr.ErrorForCode(resp.ErrorCode)
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err == nil && p.ErrorCode != kerr.ElectionNotNeeded.Code {
				err = refusedBy(p.ErrorCode, p.ErrorMessage)
			}
		}
	}
	return err
}

// Coordinator returns the id of the node that coordinates a group, and makes the internal topic for it if need be.
func (c *Cluster) Coordinator(ctx context.Context, group string) (id int32, err error) {
	err = until(ctx, "the coordinator of group "+group, func() (bool, string) {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorKeys = []string{group}
		resp, err := request[*kmsg.FindCoordinatorResponse](ctx, c, req)
		if err != nil {
			return false, err.Error()
		}
		for _, found := range resp.Coordinators {
			id, err = found.NodeID, kerr.ErrorForCode(found.ErrorCode)
		}
		return err == nil, fmt.Sprint(err)
	})
	return id, err
}

// MoveCoordinator has a node coordinate a group, and all others of the same partition of __consumer_offsets, and returns when it does.
func (c *Cluster) MoveCoordinator(ctx context.Context, group string, node int32) error {
	if _, err := c.Coordinator(ctx, group); err != nil { // the topic may have to be made
		return err
	}
	image := c.image()
	if image == nil {
		return fmt.Errorf("move the coordinator of group %s: %w", group, ErrDown)
	}
	t := image.Topics.ByName(kafka.ConsumerOffsetsTopic)
	if t == nil {
		return fmt.Errorf("move the coordinator of group %s: %w", group, kerr.CoordinatorNotAvailable)
	}
	return c.MoveLeader(ctx, t.Name, coordinator.PartitionFor(group, int32(len(t.Partitions))), node)
}
