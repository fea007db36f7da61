package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/test/compat/peer"
)

// member is a node of either kind.
type member struct {
	id         int32
	kind       peer.Kind
	broker     bool // not a controller only
	controller bool
	options    peer.Options
	process    *peer.Peer // nil while it is down
}

// cluster is members with ids from 1 on.
type cluster struct {
	dir     string
	members []*member
	client  *kgo.Client
	admin   *kadm.Client
}

// roles of a member.
const (
	broker = 1 << iota
	controller
)

// add reserves a place in the cluster; nothing runs yet.
func (c *cluster) add(kind peer.Kind, roles int) error {
	m := &member{id: int32(len(c.members) + 1), kind: kind, broker: roles&broker != 0, controller: roles&controller != 0}
	o, err := peer.Reserve(peer.Options{Dir: filepath.Join(c.dir, fmt.Sprintf("%d-%s", m.id, kind)), Short: true})
	m.options = o
	c.members = append(c.members, m)
	return err
}

// configure gives all members their properties, when all addresses are known: topics have so many replicas, and one may be missing.
func (c *cluster) configure(replicas int) {
	var voters []string
	for _, m := range c.members {
		if m.controller {
			voters = append(voters, fmt.Sprintf("%d@%s", m.id, m.options.Controller))
		}
	}
	for _, m := range c.members {
		p := map[string]string{
			"node.id": fmt.Sprint(m.id), "controller.quorum.voters": strings.Join(voters, ","),
			"default.replication.factor": fmt.Sprint(replicas), "min.insync.replicas": fmt.Sprint(replicas - 1),
			"offsets.topic.replication.factor": fmt.Sprint(replicas), "offsets.topic.num.partitions": "4",
		}
		if !m.controller {
			p["process.roles"], p["listeners"] = "broker", "PLAINTEXT://"+m.options.Listen
		}
		m.options.Properties = p
	}
}

// start starts members, and returns when they answer.
func (c *cluster) start(ctx context.Context, ids ...int32) error {
	for _, id := range ids {
		m := c.member(id)
		var err error
		if m.process, err = peer.Spawn(ctx, m.kind, m.options); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if err := c.member(id).process.Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) member(id int32) *member { return c.members[id-1] }

// addresses are those of the brokers.
func (c *cluster) addresses() []string {
	var all []string
	for _, m := range c.members {
		if m.broker {
			all = append(all, m.options.Listen)
		}
	}
	return all
}

func (c *cluster) connect() error {
	var err error
	if c.client, err = kgo.NewClient(kgo.SeedBrokers(c.addresses()...), kgo.MetadataMinAge(50*time.Millisecond)); err != nil {
		return err
	}
	c.admin = kadm.NewClient(c.client)
	return nil
}

// kill ends a member without a word to it.
func (c *cluster) kill(_ context.Context, id int32) error {
	m := c.member(id)
	defer func() { m.process = nil }()
	return m.process.Kill()
}

// stop ends a member in good order.
func (c *cluster) stop(ctx context.Context, id int32) error {
	ctx, cancel := context.WithTimeout(ctx, settles)
	defer cancel()
	m := c.member(id)
	defer func() { m.process = nil }()
	return m.process.Stop(ctx)
}

// retire stops a member for good, and has the cluster forget it.
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
	for _, m := range c.members {
		if m.process != nil {
			_ = m.process.Kill() // it may have ended
		}
	}
}

// placed is where replicas are to be: each partition has the same ones, and another one of them first.
func placed(partition int32, ids ...int32) []int32 {
	at := int(partition) % len(ids)
	return slices.Concat(ids[at:], ids[:at])
}

// create makes a topic with its replicas at these brokers.
func (c *cluster) create(ctx context.Context, topic string, partitions int32, at ...int32) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = topic, -1, -1
	for p := range partitions {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition, a.Replicas = p, placed(p, at...)
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
	details, err := c.admin.ListTopics(ctx, topics...)
	if err != nil {
		return err
	}
	var req kadm.AlterPartitionAssignmentsReq
	for _, t := range details {
		for p := range t.Partitions {
			req.Assign(t.Topic, p, placed(p, at...))
		}
	}
	answers, err := c.admin.AlterPartitionAssignments(ctx, req)
	if err := errors.Join(err, answers.Error()); err != nil {
		return err
	}
	where := func(p kmsg.MetadataResponseTopicPartition) error {
		if !slices.Equal(p.Replicas, placed(p.Partition, at...)) {
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

// settle waits until all replicas are in sync and every running broker knows it, and more is true.
func (c *cluster) settle(ctx context.Context, topics []string, more func(kmsg.MetadataResponseTopicPartition) error) error {
	ctx, cancel := context.WithTimeout(ctx, settles)
	defer cancel()
	for {
		why := c.unsettled(ctx, topics, more)
		if why == nil {
			return nil
		}
		if pause(ctx, 50*time.Millisecond) != nil {
			return fmt.Errorf("not settled after %v: %w", settles, why)
		}
	}
}

// unsettled says what is not in sync, or of what two brokers have different views.
func (c *cluster) unsettled(ctx context.Context, topics []string, more func(kmsg.MetadataResponseTopicPartition) error) error {
	known := map[string]string{}
	for _, m := range c.members {
		if !m.broker || m.process == nil {
			continue
		}
		req := kmsg.NewPtrMetadataRequest()
		for _, topic := range topics {
			t := kmsg.NewMetadataRequestTopic()
			t.Topic = &topic
			req.Topics = append(req.Topics, t)
		}
		answer, err := c.client.Broker(int(m.id)).Request(ctx, req)
		if err != nil {
			return fmt.Errorf("node %d: %w", m.id, err)
		}
		for _, t := range answer.(*kmsg.MetadataResponse).Topics {
			for _, p := range t.Partitions {
				view := fmt.Sprint(p.Leader, p.LeaderEpoch, p.Replicas)
				name := fmt.Sprintf("%s-%d", *t.Topic, p.Partition)
				switch other, ok := known[name]; {
				case p.Leader < 0 || len(p.ISR) < len(p.Replicas):
					return fmt.Errorf("node %d: %s is led by %d, in sync are %v of %v", m.id, name, p.Leader, p.ISR, p.Replicas)
				case ok && other != view:
					return fmt.Errorf("node %d knows of %s: %s, another one %s", m.id, name, view, other)
				}
				known[name] = view
				if more == nil {
					continue
				}
				if err := more(p); err != nil {
					return fmt.Errorf("node %d: %s: %w", m.id, *t.Topic, err)
				}
			}
		}
	}
	return nil
}

// pause lets time pass: the load goes on meanwhile.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
