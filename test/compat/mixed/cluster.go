package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/test/compat/peer"
	"github.com/ottla/ottla/test/compat/replicas"
)

// cluster is nodes of either kind, with ids from 1 on.
type cluster struct {
	*peer.Cluster
	dir    string
	client *kgo.Client
	admin  *kadm.Client
}

// add reserves a place in the cluster; nothing runs yet. Some are brokers alone.
func (c *cluster) add(kind peer.Kind, brokerOnly bool) error {
	dir := filepath.Join(c.dir, fmt.Sprintf("%d-%s", len(c.Addrs())+1, kind))
	return c.Add(kind, peer.Options{Dir: dir, Short: true, BrokerOnly: brokerOnly, Properties: map[string]string{"offsets.topic.num.partitions": "4"}})
}

func (c *cluster) node(id int32) *peer.Peer { return c.Node(int(id - 1)) }

func (c *cluster) connect() error {
	var err error
	if c.client, err = kgo.NewClient(kgo.SeedBrokers(c.Addrs()...), kgo.MetadataMinAge(50*time.Millisecond)); err != nil {
		return err
	}
	c.admin = kadm.NewClient(c.client)
	return nil
}

// kill ends a node without a word to it.
func (c *cluster) kill(_ context.Context, id int32) error { return c.node(id).Kill() }

// stop ends a node in good order.
func (c *cluster) stop(ctx context.Context, id int32) error {
	ctx, cancel := context.WithTimeout(ctx, settles)
	defer cancel()
	return c.node(id).Stop(ctx)
}

// retire stops a node for good, and has the cluster forget it.
func (c *cluster) retire(ctx context.Context, id int32) error {
	if err := c.stop(ctx, id); err != nil {
		return err
	}
	req := kmsg.NewPtrUnregisterBrokerRequest()
	req.BrokerID = id
	resp, err := req.RequestWith(ctx, c.client)
	if err == nil && resp.ErrorCode != 0 {
		err = fmt.Errorf("unregister node %d: error %d", id, resp.ErrorCode)
	}
	return err
}

// close ends what still runs.
func (c *cluster) close() {
	if c.client != nil {
		c.client.Close()
	}
	_ = c.Kill() // they may have ended
}

// create makes a topic with its replicas at these brokers.
func (c *cluster) create(ctx context.Context, topic string, partitions int32, at ...int32) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = topic, -1, -1
	for p := range partitions {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition, a.Replicas = p, replicas.Placed(p, at...)
		t.ReplicaAssignment = append(t.ReplicaAssignment, a)
	}
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, c.client)
	if err == nil && resp.Topics[0].ErrorCode != 0 {
		err = fmt.Errorf("create %s: error %d", topic, resp.Topics[0].ErrorCode)
	}
	return err
}

// move gives all partitions their replicas at these brokers, and waits until they are there and the first ones lead.
func (c *cluster) move(ctx context.Context, topics []string, at ...int32) error {
	if err := replicas.Move(ctx, c.admin, topics, at...); err != nil {
		return err
	}
	where := func(p kmsg.MetadataResponseTopicPartition) error {
		if !slices.Equal(p.Replicas, replicas.Placed(p.Partition, at...)) {
			return fmt.Errorf("partition %d has replicas %v", p.Partition, p.Replicas)
		}
		return nil
	}
	if err := c.settle(ctx, topics, where); err != nil {
		return err
	}
	return c.elect(ctx, topics)
}

// elect has the first replicas lead, and waits until they do.
func (c *cluster) elect(ctx context.Context, topics []string) error {
	set := kadm.TopicsSet{}
	set.Add("__consumer_offsets", 0, 1, 2, 3)
	for _, t := range topics {
		set.Add(t, 0, 1, 2, 3)
	}
	if _, err := c.admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, set); err != nil {
		return err
	}
	return c.settle(ctx, topics, func(p kmsg.MetadataResponseTopicPartition) error {
		if p.Leader != p.Replicas[0] {
			return fmt.Errorf("partition %d of %v is led by %d", p.Partition, p.Replicas, p.Leader)
		}
		return nil
	})
}

// settles bounds the wait for what a change of the cluster leads to.
const settles = time.Minute

// settle waits until all replicas are in sync and every running broker knows it, and more is true of each partition.
func (c *cluster) settle(ctx context.Context, topics []string, more func(kmsg.MetadataResponseTopicPartition) error) error {
	each := func(t kmsg.MetadataResponseTopic) error {
		var errs []error
		for _, p := range t.Partitions {
			errs = append(errs, more(p))
		}
		return errors.Join(errs...)
	}
	if more == nil {
		each = nil
	}
	return replicas.Settle(ctx, c.Cluster, settles, each, topics...)
}
