package load

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/histogram"
)

// Limit ends a load: after so many bytes (uncompressed, where that makes a difference) or so much time. Zero does not bound.
type Limit struct {
	Bytes int64
	Time  time.Duration
}

// Done is what a load was worth.
type Done struct {
	Requests, Records, Bytes int64
	Took                     time.Duration
	ClientCPU                time.Duration // of programs beside this one; 0 where the load ran in it
}

// Traffic is what a replayer sends.
type Traffic struct {
	Topic      string
	Partitions int
	Conns      int // connections; each has its share of the partitions
	Depth      int // requests in flight on each
	Batch      Batch
	All        bool // acks=all, not 1
	// Leaders are the addresses of the partitions' leaders; nil is one node that leads all.
	Leaders []string
	// Times, where it is not nil, gets how long each request took; Depth must be 1.
	Times *histogram.Histogram
}

// Replay sends the same batch to all partitions, as fast as it is acknowledged.
func Replay(ctx context.Context, address string, t Traffic, l Limit) (Done, error) {
	conns, err := t.open(address)
	if err != nil {
		return Done{}, err
	}
	quota := int64(0)
	if l.Bytes > 0 {
		quota = max(1, l.Bytes/int64(t.Batch.Uncompressed))
	}
	done, err := drive(ctx, conns, t.Depth, quota, l.Time, t.Times)
	done.Records, done.Bytes = done.Requests*int64(t.Batch.Records), done.Requests*int64(t.Batch.Uncompressed)
	return done, err
}

// Repeat sends a frame of its own on each of some connections, again and again for so long, and has check look at the answers.
func Repeat(ctx context.Context, address string, conns int, length time.Duration, frame func(c *Conn, i int) []byte, check func(body []byte) error) (Done, error) {
	all := make([]replayConn, 0, conns)
	for i := range conns {
		c, err := Dial(address)
		if err != nil {
			closeAll(all)
			return Done{}, err
		}
		all = append(all, replayConn{Conn: c, frames: [][]byte{frame(c, i)}, check: check})
	}
	return drive(ctx, all, 1, 0, length, nil)
}

func closeAll(conns []replayConn) {
	for _, c := range conns {
		c.Close()
	}
}

// drive keeps all connections busy until so many requests were sent, or for so long; zero does not bound. It closes them.
func drive(ctx context.Context, conns []replayConn, depth int, quota int64, length time.Duration, times *histogram.Histogram) (Done, error) {
	defer closeAll(conns)
	var sent, acknowledged atomic.Int64
	began := time.Now()
	more := func() bool {
		return (quota == 0 || sent.Add(1) <= quota) && (length == 0 || time.Since(began) < length) && ctx.Err() == nil
	}
	errs := make([]error, len(conns))
	of := make([]*histogram.Histogram, len(conns))
	var all sync.WaitGroup
	for i, c := range conns {
		if times != nil {
			of[i] = &histogram.Histogram{}
		}
		all.Go(func() {
			n, err := c.replay(depth, of[i], more)
			acknowledged.Add(n)
			errs[i] = err
		})
	}
	all.Wait()
	for _, h := range of {
		if h != nil {
			times.Merge(h)
		}
	}
	return Done{Requests: acknowledged.Load(), Took: time.Since(began)}, errors.Join(append(errs, ctx.Err())...)
}

// replayConn is a connection with its frames.
type replayConn struct {
	*Conn
	frames [][]byte // one a partition
	check  func(body []byte) error
}

func (t Traffic) open(address string) ([]replayConn, error) {
	conns := make([]replayConn, 0, t.Conns)
	encoded := make([][]byte, t.Partitions)
	for _, part := range t.parts(address) {
		c, err := Dial(part.address)
		if err != nil {
			closeAll(conns)
			return nil, err
		}
		r := replayConn{Conn: c, check: Produced}
		for _, p := range part.partitions {
			if encoded[p] == nil {
				req := ProduceRequest(t.Topic, int32(p), t.Batch.Bytes)
				if t.All {
					req.Acks = -1
				}
				encoded[p] = c.Frame(req)
			}
			r.frames = append(r.frames, encoded[p])
		}
		conns = append(conns, r)
	}
	return conns, nil
}

// part is what one connection is for.
type part struct {
	address    string
	partitions []int
}

// parts shares the partitions out to connections: each leads to one node, and no node that leads has fewer than others by more than one.
func (t Traffic) parts(address string) []part {
	of := map[string][]int{}
	for p := range t.Partitions {
		leader := address
		if t.Leaders != nil {
			leader = t.Leaders[p]
		}
		of[leader] = append(of[leader], p)
	}
	leaders := slices.Sorted(maps.Keys(of))
	var all []part
	for i := range t.Conns {
		leader := leaders[i%len(leaders)]
		turn, turns := i/len(leaders), (t.Conns-i%len(leaders)+len(leaders)-1)/len(leaders)
		made := part{address: leader}
		for j := turn % len(of[leader]); j < len(of[leader]); j += turns {
			made.partitions = append(made.partitions, of[leader][j])
		}
		all = append(all, made)
	}
	return all
}

// replay keeps depth requests in flight as long as more says so, and returns how many were acknowledged.
func (c replayConn) replay(depth int, times *histogram.Histogram, more func() bool) (acknowledged int64, err error) {
	next, inFlight := 0, 0
	var sent time.Time
	send := func() error {
		if !more() {
			return nil
		}
		if times != nil {
			sent = time.Now()
		}
		inFlight++
		next++
		return c.Write(c.frames[next%len(c.frames)])
	}
	for range depth {
		if err := send(); err != nil {
			return 0, err
		}
	}
	for inFlight > 0 {
		body, err := c.Answer()
		if err == nil {
			err = c.check(body)
		}
		if err != nil {
			return acknowledged, fmt.Errorf("after %d answers: %w", acknowledged, err)
		}
		if times != nil {
			times.Add(time.Since(sent))
		}
		acknowledged++
		inFlight--
		if err := send(); err != nil {
			return acknowledged, err
		}
	}
	return acknowledged, nil
}
