package row

import (
	"context"
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/machine"
	"github.com/ottla/ottla/test/bench/stage"
)

func recoveryRows() []*stage.Workload {
	return []*stage.Workload{
		{Key: "14/kill -9", Own: true, Run: func(ctx context.Context, s *stage.Stand) error { return recovery(ctx, s, true) }},
		{Key: "14/clean restart", Own: true, Run: func(ctx context.Context, s *stage.Stand) error { return recovery(ctx, s, false) }},
	}
}

// recovery fills fresh partitions, ends the server while it is written to, or in order when it is not, and takes the time
// from its next start until every partition has acknowledged a record. What was acknowledged before must be there.
func recovery(ctx context.Context, s *stage.Stand, kill bool) error {
	if err := started(ctx, s); err != nil {
		return err
	}
	topic, err := s.Fresh(partitions, nil)
	if err != nil {
		return err
	}
	s.Forget() // it goes with the directory
	batch, err := load.NewBatch(256<<10, 1000, compress.None)
	if err != nil {
		return err
	}
	traffic := load.Traffic{Topic: topic, Partitions: partitions, Conns: conns, Depth: depth, Batch: batch}
	done, err := load.Replay(ctx, s.Side.Address, traffic, load.Limit{Bytes: s.Recovery})
	if err != nil {
		return err
	}
	if kill {
		err = killUnderLoad(ctx, s, traffic)
	} else {
		err = s.Side.Stop()
	}
	if err != nil {
		return err
	}
	if err := s.Fill.Top(); err != nil {
		return err
	}
	_, err = s.Measure(func() (load.Done, error) {
		if err := s.Side.Spawn(ctx); err != nil {
			return load.Done{}, err
		}
		for p := range int32(partitions) {
			if err := load.FirstAck(s.Side.Address, topic, p); err != nil {
				return load.Done{}, err
			}
		}
		s.Set("s", time.Since(s.Side.Began).Seconds())
		return load.Done{}, nil
	})
	if err != nil {
		return err
	}
	return kept(s.Side.Address, topic, done.Records)
}

// killUnderLoad goes on writing, and kills the server in the middle of it.
func killUnderLoad(ctx context.Context, s *stage.Stand, traffic load.Traffic) error {
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = load.Replay(ctx, s.Side.Address, traffic, load.Limit{Time: 10 * time.Second}) // it ends with the server
	}()
	machine.Nap(time.Second)
	err := s.Side.Kill()
	<-over
	return err
}

func kept(address, topic string, acknowledged int64) error {
	c, err := load.Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	sum, err := c.Ends(topic, partitions)
	if err == nil && sum < acknowledged {
		err = fmt.Errorf("%d of %d acknowledged records are there after the restart", sum, acknowledged)
	}
	return err
}
