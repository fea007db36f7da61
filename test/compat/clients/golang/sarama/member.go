package main

import (
	"context"
	"errors"
	"time"

	"github.com/IBM/sarama"

	"github.com/ottla/ottla/test/compat/clients/golang/contract"
)

func join(bootstrap string, m contract.Member, s *contract.Says, leave <-chan struct{}) error {
	c := config()
	c.Consumer.Return.Errors = false
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Enable = m.Commit == "auto"
	c.Consumer.Offsets.AutoCommit.Interval = 500 * time.Millisecond
	c.Consumer.Group.Session.Timeout = time.Duration(m.SessionMs) * time.Millisecond
	c.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	c.Consumer.Group.Rebalance.Timeout = 20 * time.Second
	c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange()}
	c.Consumer.Group.InstanceId = m.Instance
	g, err := joinGroup(bootstrap, m, c, leave)
	if err != nil || g == nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-leave
		cancel()
	}()
	for ctx.Err() == nil {
		// It ends with each rebalance, and while the server is away.
		if err := g.Consume(ctx, []string{m.Topic}, &handler{m, s}); errors.Is(err, sarama.ErrClosedConsumerGroup) {
			return err
		}
	}
	return g.Close()
}

// joinGroup tries again while the server is away.
func joinGroup(bootstrap string, m contract.Member, c *sarama.Config, leave <-chan struct{}) (sarama.ConsumerGroup, error) {
	for {
		g, err := sarama.NewConsumerGroup(contract.Brokers(bootstrap), m.Group, c)
		if !errors.Is(err, sarama.ErrOutOfBrokers) {
			return g, err
		}
		select {
		case <-leave:
			return nil, nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

type handler struct {
	m contract.Member
	s *contract.Says
}

func (h *handler) Setup(session sarama.ConsumerGroupSession) error {
	h.s.Assigned(session.Claims()[h.m.Topic])
	return nil
}

func (h *handler) Cleanup(session sarama.ConsumerGroupSession) error {
	h.s.Revoked(session.Claims()[h.m.Topic])
	return nil
}

func (h *handler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case r, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			h.s.Read([]contract.Message{{Partition: r.Partition, Offset: r.Offset, Value: string(r.Value)}})
			session.MarkMessage(r, "")
			if h.m.Commit == "sync" && r.Offset%20 == 0 {
				session.Commit() // it does not tell whether the server took it
			}
		case <-session.Context().Done():
			return nil
		}
	}
}
