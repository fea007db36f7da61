package replicas

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/test/compat/peer"
	"github.com/ottla/ottla/test/pause"
)

// Settle returns when every node that runs knows all the others, every replica is in sync, and all agree on who leads; or it says after a time why
// that is not so. A suite that takes one node away after the other waits for it in between: a second one that goes would take the last copy of
// what the first one lacks. A node that has ended by itself ends the wait. No topics are all topics; more, if there is any, says of
// each of them, as each node knows it, what else is not as it should be.
func Settle(ctx context.Context, c *peer.Cluster, limit time.Duration, more func(kmsg.MetadataResponseTopic) error, topics ...string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()...), kgo.MetadataMinAge(50*time.Millisecond), kgo.DialTimeout(time.Second))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var gone error
	err = pause.Until(ctx, limit, func(ctx context.Context) error {
		up, err := c.Up()
		if err != nil {
			gone = err
			cancel()
			return err
		}
		w := watch{client, up, more, topics}
		return w.unsettled(ctx)
	})
	if err := cmp.Or(gone, err); err != nil {
		return fmt.Errorf("not all replicas are in sync: %w", err)
	}
	return nil
}

// watch asks the nodes of a cluster what they know.
type watch struct {
	client *kgo.Client
	nodes  []int
	more   func(kmsg.MetadataResponseTopic) error
	topics []string
}

// unsettled says what is not in sync, or whose view of it is another one; nil when the cluster has settled.
func (w *watch) unsettled(ctx context.Context) error {
	var first []partition
	for k, i := range w.nodes {
		known, err := w.view(ctx, i+1)
		if err != nil {
			return fmt.Errorf("node %d: %w", i+1, err)
		}
		if k == 0 {
			first = known
		}
		if !slices.Equal(known, first) {
			return fmt.Errorf("nodes %d and %d know other leaders: %v", w.nodes[0]+1, i+1, difference(first, known))
		}
	}
	return nil
}

// partition is what the nodes must agree on.
type partition struct {
	topic         string
	index         int32
	leader, epoch int32
	replicas      string
}

// view is what a node knows of the topics, when all of their replicas are in sync.
func (w *watch) view(ctx context.Context, id int) ([]partition, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range w.topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	answer, err := w.client.Broker(id).Request(ctx, req)
	if err != nil {
		return nil, err
	}
	got := answer.(*kmsg.MetadataResponse)
	if len(got.Brokers) < len(w.nodes) {
		return nil, fmt.Errorf("it knows %d of %d nodes", len(got.Brokers), len(w.nodes))
	}
	var known []partition
	for _, t := range got.Topics {
		for _, p := range t.Partitions {
			if len(p.ISR) < len(p.Replicas) || p.Leader < 0 {
				return nil, fmt.Errorf("%s-%d has leader %d, replicas %v, in sync %v", *t.Topic, p.Partition, p.Leader, p.Replicas, p.ISR)
			}
			known = append(known, partition{*t.Topic, p.Partition, p.Leader, p.LeaderEpoch, fmt.Sprint(p.Replicas)})
		}
		if len(w.topics) > 0 && len(t.Partitions) == 0 {
			return nil, errors.New("it does not know " + *t.Topic)
		}
		if w.more == nil {
			continue
		}
		if err := w.more(t); err != nil {
			return nil, fmt.Errorf("%s: %w", *t.Topic, err)
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
