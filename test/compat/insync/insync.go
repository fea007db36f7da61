// Package insync tells when a cluster of several nodes has settled: every node knows all of them, every replica is in sync, and
// all agree on who leads. A suite that takes one node away after the other waits for it in between: a second one that
// goes would take the last copy of what the first one lacks.
//
// It belongs to the tests (layer T). It asks the nodes by Kafka's own requests, and so tells the same of every implementation.
package insync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Watch asks the nodes of a cluster what they know. Their ids are 1 and so on.
type Watch struct {
	client *kgo.Client
	nodes  int
}

// New watches the nodes at these addresses. Call Close at the end.
func New(addrs []string) (*Watch, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.MetadataMinAge(50*time.Millisecond), kgo.DialTimeout(time.Second))
	if err != nil {
		return nil, err
	}
	return &Watch{client: client, nodes: len(addrs)}, nil
}

// Close ends its connections.
func (w *Watch) Close() { w.client.Close() }

// Await returns when the cluster has settled, or says after a time why it has not. No topics are all topics.
func (w *Watch) Await(ctx context.Context, limit time.Duration, topics ...string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		why := w.Unsettled(ctx, topics...)
		if why == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = why
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("not all replicas are in sync after %v: %w", limit, last)
		}
	}
}

// Unsettled says what is not in sync, or whose view of it is another one; nil when the cluster has settled.
func (w *Watch) Unsettled(ctx context.Context, topics ...string) error {
	var first []partition
	for id := 1; id <= w.nodes; id++ {
		known, err := w.view(ctx, id, topics)
		if err != nil {
			return fmt.Errorf("node %d: %w", id, err)
		}
		if id == 1 {
			first = known
		}
		if !slices.Equal(known, first) {
			return fmt.Errorf("nodes 1 and %d know other leaders: %v", id, difference(first, known))
		}
	}
	return nil
}

// partition is what the nodes must agree on.
type partition struct {
	topic         string
	index         int32
	leader, epoch int32
}

// view is what a node knows of the topics, when all of their replicas are in sync.
func (w *Watch) view(ctx context.Context, id int, topics []string) ([]partition, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	answer, err := w.client.Broker(id).Request(ctx, req)
	if err != nil {
		return nil, err
	}
	got := answer.(*kmsg.MetadataResponse)
	if len(got.Brokers) < w.nodes {
		return nil, fmt.Errorf("it knows %d of %d nodes", len(got.Brokers), w.nodes)
	}
	var known []partition
	for _, t := range got.Topics {
		for _, p := range t.Partitions {
			if len(p.ISR) < len(p.Replicas) || p.Leader < 0 {
				return nil, fmt.Errorf("%s-%d has leader %d, replicas %v, in sync %v", *t.Topic, p.Partition, p.Leader, p.Replicas, p.ISR)
			}
			known = append(known, partition{*t.Topic, p.Partition, p.Leader, p.LeaderEpoch})
		}
		if len(topics) > 0 && len(t.Partitions) == 0 {
			return nil, errors.New("it does not know " + *t.Topic)
		}
	}
	slices.SortFunc(known, func(a, b partition) int { return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.index, b.index)) })
	return known, nil
}

// difference is one partition that two views differ in.
func difference(a, b []partition) []partition {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return []partition{a[i], b[i]}
		}
	}
	return slices.Concat(a[min(len(a), len(b)):], b[min(len(a), len(b)):])
}
