package load

import (
	"context"
	"errors"
	"fmt"
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
	// Times, where it is not nil, gets how long each request took; Depth must be 1.
	Times *histogram.Histogram
}

// Replay sends the same batch to all partitions, as fast as it is acknowledged.
func Replay(ctx context.Context, address string, t Traffic, l Limit) (Done, error) {
	var sent atomic.Int64
	quota := int64(1) << 62
	if l.Bytes > 0 {
		quota = max(1, l.Bytes/int64(t.Batch.Uncompressed))
	}
	conns, err := t.open(address)
	if err != nil {
		return Done{}, err
	}
	began := time.Now()
	end := began.Add(24 * time.Hour)
	if l.Time > 0 {
		end = began.Add(l.Time)
	}
	errs := make([]error, len(conns))
	var acknowledged atomic.Int64
	var all sync.WaitGroup
	times := make([]*histogram.Histogram, len(conns))
	for i, c := range conns {
		if t.Times != nil {
			times[i] = &histogram.Histogram{}
		}
		all.Go(func() {
			defer c.Close()
			n, err := c.replay(t.Depth, times[i], func() bool {
				return sent.Add(1) <= quota && time.Now().Before(end) && ctx.Err() == nil
			})
			acknowledged.Add(n)
			errs[i] = err
		})
	}
	all.Wait()
	for _, h := range times {
		if h != nil {
			t.Times.Merge(h)
		}
	}
	n := acknowledged.Load()
	done := Done{Requests: n, Records: n * int64(t.Batch.Records), Bytes: n * int64(t.Batch.Uncompressed), Took: time.Since(began)}
	return done, errors.Join(append(errs, ctx.Err())...)
}

// replayConn is a connection with its frames.
type replayConn struct {
	*Conn
	frames [][]byte // one a partition
}

func (t Traffic) open(address string) ([]replayConn, error) {
	conns := make([]replayConn, 0, t.Conns)
	encoded := map[int][]byte{}
	for i := range t.Conns {
		c, err := Dial(address)
		if err != nil {
			for _, open := range conns {
				open.Close()
			}
			return nil, err
		}
		r := replayConn{Conn: c}
		for p := i % t.Partitions; p < t.Partitions; p += t.Conns {
			if encoded[p] == nil {
				encoded[p] = c.Frame(ProduceRequest(t.Topic, int32(p), t.Batch.Bytes))
			}
			r.frames = append(r.frames, encoded[p])
		}
		conns = append(conns, r)
	}
	return conns, nil
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
			err = Produced(body)
		}
		if err != nil {
			return acknowledged, fmt.Errorf("produce: %w", err)
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
