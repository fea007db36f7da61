package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/compat/clients/golang/contract"
)

func join(bootstrap string, m contract.Member, s *contract.Says, leave <-chan struct{}) error {
	mine := func(f func([]int32)) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, ids map[string][]int32) { f(ids[m.Topic]) }
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(contract.Brokers(bootstrap)...), kgo.ConsumerGroup(m.Group), kgo.ConsumeTopics(m.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.BlockRebalanceOnPoll(), kgo.FetchMaxWait(100 * time.Millisecond),
		kgo.SessionTimeout(time.Duration(m.SessionMs) * time.Millisecond), kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.MetadataMinAge(50 * time.Millisecond),
		kgo.OnPartitionsAssigned(mine(s.Assigned)), kgo.OnPartitionsRevoked(mine(s.Revoked)), kgo.OnPartitionsLost(mine(s.Revoked)),
	}
	switch m.Mode {
	case "eager":
		opts = append(opts, kgo.Balancers(kgo.RangeBalancer()))
	case "consumer":
		opts = append(opts, kgo.Balancers(kgo.StickyBalancer()), kgo.ServerSideBalancer())
	default:
		opts = append(opts, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	}
	if m.Instance != "" {
		opts = append(opts, kgo.InstanceID(m.Instance))
	}
	if m.Commit == "auto" {
		opts = append(opts, kgo.AutoCommitInterval(500*time.Millisecond))
	} else {
		opts = append(opts, kgo.DisableAutoCommit())
	}
	c, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer c.Close()
	for {
		select {
		case <-leave:
			return nil // Close leaves the group
		default:
		}
		poll(c, m, s)
	}
}

// poll reads once and commits what it read.
func poll(c *kgo.Client, m contract.Member, s *contract.Says) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	defer c.AllowRebalance()
	var read []contract.Message
	next := map[int32]int64{}
	for _, r := range c.PollFetches(ctx).Records() {
		read = append(read, contract.Message{Partition: r.Partition, Offset: r.Offset, Value: string(r.Value)})
		next[r.Partition] = r.Offset + 1
	}
	s.Read(read)
	if len(read) == 0 {
		return
	}
	limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	switch m.Commit {
	case "sync":
		defer cancel()
		if c.CommitUncommittedOffsets(limit) == nil {
			s.Committed(next)
		}
	case "async":
		go func() {
			defer cancel()
			if c.CommitUncommittedOffsets(limit) == nil {
				s.Committed(next)
			}
		}()
	default:
		cancel()
	}
}
