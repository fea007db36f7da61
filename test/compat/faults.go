package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
	"github.com/ottla/ottla/test/compat/replicas"
	"github.com/ottla/ottla/test/pause"
)

// Times of a fault.
const (
	calm    = time.Second     // before each
	outage  = time.Second     // how long a node is away
	settles = 2 * time.Minute // bounds the wait until all is in sync again
)

// start starts the servers and waits until they have found each other.
func (s *suite) start(ctx context.Context) error {
	var err error
	s.servers, err = peer.StartCluster(ctx, s.o.peer, s.o.nodes, peer.Options{Dir: filepath.Join(s.dir, "data"), Short: s.o.nodes > 1})
	if err != nil {
		return err
	}
	s.addr = strings.Join(s.servers.Addrs(), ",")
	if err := s.settle(ctx); err != nil {
		return errors.Join(err, s.servers.Kill())
	}
	return nil
}

// settle waits until every replica on every node is in sync.
func (s *suite) settle(ctx context.Context) error {
	return replicas.Settle(ctx, s.servers, settles, nil)
}

// underFaults lets work happen while, where it was asked for, one node after another is killed and comes back.
func (s *suite) underFaults(ctx context.Context, work func(context.Context) error) error {
	if !s.o.hurt {
		return work(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	working, done := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		err := s.hurt(ctx, working)
		if err != nil {
			cancel(err) // nothing that the clients find from now on is worth anything
		}
		ended <- err
	}()
	err := work(ctx)
	done()
	return errors.Join(err, <-ended)
}

// hurt kills one node after another and starts it again until work is done; each when all replicas are in sync.
func (s *suite) hurt(ctx, working context.Context) error {
	began := time.Now()
	count := 0
	for ; pause.For(working, calm) == nil; count++ {
		i := count % s.servers.Len()
		if err := s.servers.Node(i).Kill(); err != nil {
			return err
		}
		_ = pause.For(working, outage) // it comes back at once when nobody works any more
		if err := s.servers.Start(ctx, i); err != nil {
			return err
		}
		if err := s.settle(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("%d kills in %s\n", count, time.Since(began).Round(time.Second))
	return ctx.Err()
}
