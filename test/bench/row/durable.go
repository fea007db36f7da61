package row

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/histogram"
	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/stage"
)

func durableRows() []*stage.Workload {
	return []*stage.Workload{{Key: "20/replayer", Path: "durable", Floors: []string{judge.Null}, Run: durable}}
}

// durable has 100 producers wait for a record that is on the disk before they send the next.
func durable(ctx context.Context, s *stage.Stand) error {
	sync, err := fdatasync(s.Dir)
	if err != nil {
		return err
	}
	topic, err := s.Fresh(partitions, map[string]string{"flush.messages": "1"})
	if err != nil {
		return err
	}
	batch, err := load.NewBatch(1024, 1024, compress.None)
	if err != nil {
		return err
	}
	times := &histogram.Histogram{}
	w, err := s.Measure(func() (load.Done, error) {
		return load.Replay(ctx, s.Side.Address, load.Traffic{Topic: topic, Partitions: partitions, Conns: 100, Depth: 1, Batch: batch, Times: times},
			load.Limit{Time: bounded(s.Longest)})
	})
	if err != nil {
		return err
	}
	s.Set("acks/s", w.Rate(w.Requests))
	s.Set("CPU-us/ack", float64(w.Server.Microseconds())/float64(w.Requests))
	s.Set("client CPU-us/ack", float64(w.Client.Microseconds())/float64(w.Requests))
	s.Set("p99 ms", ms(times.At(.99)))
	s.Set("fdatasync ms", ms(sync))
	s.Set("p99 in fdatasyncs", float64(times.At(.99))/float64(sync))
	return nil
}

// fdatasync is how long a bare append of 4 KiB takes to be on the disk here and now: the median of some.
func fdatasync(dir string) (d time.Duration, err error) {
	f, err := os.Create(filepath.Join(dir, "fdatasync"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	var h histogram.Histogram
	for range 200 {
		began := time.Now()
		if _, err := f.Write(make([]byte, 4<<10)); err != nil {
			return 0, err
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		h.Add(time.Since(began))
	}
	return h.At(.5), nil
}
