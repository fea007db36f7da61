package main

import (
	"context"
	"errors"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/ottla/ottla/test/compat/clients/golang/contract"
)

// join uses the library's ConsumerGroup, which tells the assignments; its Reader, made of the same, hides them.
func join(bootstrap string, m contract.Member, s *contract.Says, leave <-chan struct{}) error {
	g, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: m.Group, Brokers: contract.Brokers(bootstrap), Topics: []string{m.Topic}, StartOffset: kafka.FirstOffset,
		GroupBalancers: []kafka.GroupBalancer{kafka.RangeGroupBalancer{}}, HeartbeatInterval: 500 * time.Millisecond,
		SessionTimeout: time.Duration(m.SessionMs) * time.Millisecond, RebalanceTimeout: 20 * time.Second,
		JoinGroupBackoff: 200 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-leave
		cancel()
	}()
	for {
		generation, err := g.Next(ctx)
		if ctx.Err() != nil {
			return g.Close()
		}
		if err != nil {
			continue // the server is away, or the group goes on rebalancing
		}
		var ids []int32
		for _, a := range generation.Assignments[m.Topic] {
			ids = append(ids, int32(a.ID))
		}
		s.Assigned(ids)
		done := make(chan struct{}, len(ids))
		for _, a := range generation.Assignments[m.Topic] {
			generation.Start(func(ctx context.Context) {
				readPartition(ctx, bootstrap, m, s, generation, a)
				done <- struct{}{}
			})
		}
		generation.Start(func(ctx context.Context) {
			<-ctx.Done()
			for range ids {
				<-done
			}
			s.Revoked(ids)
		})
	}
}

// readPartition reads until the generation ends, and commits as it goes.
func readPartition(ctx context.Context, bootstrap string, m contract.Member, s *contract.Says, g *kafka.Generation, a kafka.PartitionAssignment) {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: contract.Brokers(bootstrap), Topic: m.Topic, Partition: a.ID, MaxWait: 100 * time.Millisecond})
	defer r.Close()
	if err := r.SetOffset(a.Offset); err != nil {
		return
	}
	for {
		read, err := r.ReadMessage(ctx)
		if errors.Is(err, context.Canceled) || ctx.Err() != nil {
			return
		}
		if err != nil {
			continue
		}
		s.Read([]contract.Message{{Partition: int32(read.Partition), Offset: read.Offset, Value: string(read.Value)}})
		if read.Offset%20 != 0 {
			continue
		}
		if g.CommitOffsets(map[string]map[int]int64{m.Topic: {a.ID: read.Offset + 1}}) == nil {
			s.Committed(map[int32]int64{int32(a.ID): read.Offset + 1})
		}
	}
}
