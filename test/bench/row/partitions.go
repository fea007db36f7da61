package row

import (
	"context"
	"fmt"
	"time"

	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/probe"
	"github.com/ottla/ottla/test/bench/stage"
)

func partitionRows() []*stage.Workload {
	return []*stage.Workload{
		{Key: "15/6,000 partitions", Own: true, Run: sixThousand},
		{Key: "15/100,000 partitions", Own: true, Alone: true, Procs: probe.Procs, Run: many},
	}
}

// settle is how long a server has to end what follows the creation: that is no idle time.
const settle = 5 * time.Second

// perTopic is how many partitions a topic of row 15 has.
const perTopic = 1000

// populate makes topics with so many partitions, and waits until all can be used.
func populate(s *stage.Stand, n int) ([]load.Topic, error) {
	var topics []load.Topic
	began := time.Now()
	for i := 0; i*perTopic < n; i++ {
		t := load.Topic{Name: fmt.Sprintf("many-%03d", i), Partitions: int32(min(perTopic, n-i*perTopic))}
		if err := load.CreateOnly(s.Side.Address, t); err != nil {
			return nil, err
		}
		topics = append(topics, t)
	}
	err := load.AwaitUsable(s.Side.Address, topics)
	s.Set("create s", time.Since(began).Seconds())
	return topics, err
}

// again starts the side once more and takes the time until all partitions can be used.
func again(ctx context.Context, s *stage.Stand, name string, topics []load.Topic) error {
	if err := s.Side.Spawn(ctx); err != nil {
		return err
	}
	err := load.AwaitUsable(s.Side.Address, topics)
	s.Set(name, time.Since(s.Side.Began).Seconds())
	return err
}

func sixThousand(ctx context.Context, s *stage.Stand) error {
	if err := started(ctx, s); err != nil {
		return err
	}
	var topics []load.Topic
	_, err := s.Measure(func() (load.Done, error) {
		var err error
		topics, err = populate(s, min(6000, s.Many))
		return load.Done{}, err
	})
	if err != nil {
		return err
	}
	if err := s.Watch(ctx, settle); err != nil {
		return err
	}
	w, err := s.Measure(func() (load.Done, error) { return load.Done{}, s.Watch(ctx, s.Rest) })
	if err != nil {
		return err
	}
	s.Set("idle % of a core", 100*w.Server.Seconds()/w.Took.Seconds())
	if err := resident(ctx, s, "MiB", false); err != nil {
		return err
	}
	if err := s.Side.Stop(); err != nil {
		return err
	}
	_, err = s.Measure(func() (load.Done, error) {
		if err := again(ctx, s, "restart s", topics); err != nil {
			return load.Done{}, err
		}
		if err := s.Side.Kill(); err != nil {
			return load.Done{}, err
		}
		return load.Done{}, again(ctx, s, "restart after kill -9 s", topics)
	})
	return err
}

// busy is how many of the partitions the probe of row 15 writes to and reads.
const busy = 100

// many has ours alone: first with as many partitions as are busy, then with all.
func many(ctx context.Context, s *stage.Stand) error {
	if err := started(ctx, s); err != nil {
		return err
	}
	p := probe.Plan{Topic: "many-000", Rate: 5000, Producers: busy, Size: 1024, Length: s.Latency}
	if _, err := populate(s, busy); err != nil {
		return err
	}
	if err := endToEnd(ctx, s, p, " with 100 partitions"); err != nil {
		return err
	}
	if err := control(ctx, s, p, " with 100 partitions"); err != nil {
		return err
	}
	if err := s.Side.Discard(); err != nil {
		return err
	}
	if err := started(ctx, s); err != nil {
		return err
	}
	var topics []load.Topic
	_, err := s.Measure(func() (load.Done, error) {
		var err error
		topics, err = populate(s, s.Many)
		return load.Done{}, err
	})
	if err != nil {
		return err
	}
	if err := s.Watch(ctx, settle); err != nil {
		return err
	}
	if err := resident(ctx, s, "MiB", false); err != nil {
		return err
	}
	if err := endToEnd(ctx, s, p, ""); err != nil {
		return err
	}
	if err := control(ctx, s, p, ""); err != nil {
		return err
	}
	if err := s.Side.Stop(); err != nil {
		return err
	}
	_, err = s.Measure(func() (load.Done, error) { return load.Done{}, again(ctx, s, "restart s", topics) })
	return err
}
