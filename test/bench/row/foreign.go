package row

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/machine"
	"github.com/ottla/ottla/test/bench/stage"
)

func foreignRows() []*stage.Workload {
	return []*stage.Workload{
		{Key: "1/ProducerPerformance", Path: "produce", Bulk: true, Pinned: true, Run: javaProduce},
		{Key: "3/librdkafka", Path: "small records", Bulk: true, Pinned: true, Run: librdkafkaProduce},
		{Key: "8/ConsumerPerformance", Path: "fetch", Bulk: true, Pinned: true, Prepare: fillW, Run: javaConsume},
	}
}

// installed says that a foreign client is missing here as what it is: not a fault of the server.
func installed(f *load.Foreign, err error) (*load.Foreign, error) {
	if err != nil {
		return nil, errors.Join(stage.ErrNotHere, err)
	}
	return f, nil
}

func javaProduce(ctx context.Context, s *stage.Stand) error {
	f, err := installed(load.InstallTools(ctx))
	if err != nil {
		return err
	}
	return produced(s, partitions, nil, func(topic string) (load.Done, error) {
		return f.JavaProduce(ctx, s.Side.Address, topic, 1000, s.Limit(1))
	})
}

func javaConsume(ctx context.Context, s *stage.Stand) error {
	f, err := installed(load.InstallTools(ctx))
	if err != nil {
		return err
	}
	if err := load.AwaitCoordinator(s.Side.Address, "perf-probe", s.Kept["topic"].(string)); err != nil {
		return err
	}
	return hot(s, func(topic string) (load.Done, error) {
		return f.JavaConsume(ctx, s.Side.Address, topic, s.Kept["records"].(int64))
	})
}

func librdkafkaProduce(ctx context.Context, s *stage.Stand) error {
	f, err := installed(load.InstallLibrdkafka(ctx))
	if err != nil {
		return err
	}
	return produced(s, partitions, nil, func(topic string) (load.Done, error) {
		done, err := f.LibrdkafkaProduce(ctx, s.Side.Address, topic, 100, s.Limit(1))
		if err != nil {
			return done, err
		}
		return done, complete(s.Side.Address, topic, done.Records)
	})
}

// complete looks whether all records are there: a client without delivery reports does not know.
func complete(address, topic string, records int64) error {
	c, err := load.Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	var sum int64
	for range 100 {
		if sum, err = c.Ends(topic, partitions); err != nil || sum >= records {
			return err
		}
		machine.Nap(10 * time.Millisecond)
	}
	return fmt.Errorf("%d of %d records are there", sum, records)
}
