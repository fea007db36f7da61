package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sys/unix"

	"github.com/ottla/ottla/internal/record"
)

const (
	rate      = 5000 // records a second, over all producers
	producers = 4
)

// latency paces records by their intended times, whatever became of the ones before, and takes the time from there to
// the moment when the consumer has them. An echo server in this process is driven the same way as a control.
func latency(b *bench) (string, error) {
	if err := b.prepare("latency"); err != nil {
		return "", err
	}
	before, err := b.node.cpu()
	if err != nil {
		return "", err
	}
	took, err := endToEnd(b.node.address, b.seconds)
	if err != nil {
		return "", err
	}
	after, err := b.node.cpu()
	if err != nil {
		return "", err
	}
	control, err := echoControl(b.seconds / 2)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %.0f %% of a core; bare echo: %s", percentiles(took), 100*(after-before).Seconds()/b.seconds.Seconds(), percentiles(control)), nil
}

func percentiles(all []time.Duration) string {
	slices.Sort(all)
	at := func(q float64) time.Duration { return all[int(q*float64(len(all)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %v p99 %v p99.9 %v of %d", at(.5), at(.99), at(.999), len(all))
}

// pace calls f at its intended times. The kernel's sleep is exact where Go's timer is a millisecond coarse.
func pace(perSecond int, length time.Duration, f func(intended time.Time) error) error {
	interval := time.Second / time.Duration(perSecond)
	next := time.Now()
	for end := next.Add(length); next.Before(end); next = next.Add(interval) {
		if left := time.Until(next); left > 0 {
			ts := unix.NsecToTimespec(int64(left))
			_ = unix.Nanosleep(&ts, nil) // woken early is on time enough
		}
		if err := f(next); err != nil {
			return err
		}
	}
	return nil
}

func endToEnd(address string, length time.Duration) ([]time.Duration, error) {
	var mu sync.Mutex
	var all []time.Duration
	errs := make([]error, 2*producers)
	var group sync.WaitGroup
	for i := range producers {
		group.Go(func() {
			got, err := consume(address, int32(i), int(length.Seconds()*rate/producers))
			errs[2*i] = err
			mu.Lock()
			all = append(all, got...)
			mu.Unlock()
		})
		group.Go(func() { errs[2*i+1] = send(address, int32(i), length) })
	}
	group.Wait()
	return all, errors.Join(errs...)
}

// send produces one record of 1 KiB at a time, its intended time inside.
func send(address string, partition int32, length time.Duration) error {
	c, err := dial(address)
	if err != nil {
		return err
	}
	defer c.nc.Close()
	go io.Copy(io.Discard, c.nc) // acknowledgements
	value := make([]byte, 1024)
	var b record.Builder
	var batch []byte
	return pace(rate/producers, length, func(intended time.Time) error {
		binary.BigEndian.PutUint64(value, uint64(intended.UnixNano()))
		b.Begin(record.NewOptions(0, -1))
		b.Add(intended.UnixMilli(), nil, value)
		if batch, err = b.AppendTo(batch[:0]); err != nil {
			return err
		}
		_, err := c.nc.Write(c.frame(produceRequest("latency", partition, batch)))
		return err
	})
}

// consume fetches from the end of a partition until it has n records.
func consume(address string, partition int32, n int) ([]time.Duration, error) {
	c, err := dial(address)
	if err != nil {
		return nil, err
	}
	defer c.nc.Close()
	offset, err := endOffset(c, "latency", partition)
	if err != nil {
		return nil, err
	}
	all := make([]time.Duration, 0, n)
	for last := time.Now(); len(all) < n && time.Since(last) < patience/6; {
		resp, err := c.call(fetchRequest("latency", partition, offset, 1<<20))
		if err != nil {
			return nil, err
		}
		now := time.Now()
		for rest := resp.(*kmsg.FetchResponse).Topics[0].Partitions[0].RecordBatches; ; {
			b, more, err := record.Next(rest)
			if err != nil {
				break
			}
			sent := int64(binary.BigEndian.Uint64(b[len(b)-1025:]))
			all, offset, rest, last = append(all, now.Sub(time.Unix(0, sent))), int64(b.LastOffset())+1, more, now
		}
	}
	if len(all) < n*9/10 {
		return nil, fmt.Errorf("%d of %d records came", len(all), n)
	}
	return all, nil
}

func endOffset(c *conn, topic string, partition int32) (int64, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	req.Version, req.ReplicaID = 5, -1
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp, p.CurrentLeaderEpoch = partition, -1, -1
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	resp, err := c.call(req)
	if err != nil {
		return 0, err
	}
	found := resp.(*kmsg.ListOffsetsResponse).Topics[0].Partitions[0]
	return found.Offset, kerr.ErrorForCode(found.ErrorCode)
}

// echoControl sends frames of 1 KiB to a server that sends them back, at the same pace.
func echoControl(length time.Duration) ([]time.Duration, error) {
	nl, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer nl.Close()
	go func() {
		for {
			nc, err := nl.Accept()
			if err != nil {
				return
			}
			go io.Copy(nc, nc)
		}
	}()
	var mu sync.Mutex
	var all []time.Duration
	errs := make([]error, producers)
	var group sync.WaitGroup
	for i := range producers {
		group.Go(func() {
			got, err := echoOne(nl.Addr().String(), length)
			errs[i] = err
			mu.Lock()
			all = append(all, got...)
			mu.Unlock()
		})
	}
	group.Wait()
	return all, errors.Join(errs...)
}

func echoOne(address string, length time.Duration) ([]time.Duration, error) {
	nc, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	var all []time.Duration
	done := make(chan error, 1)
	n := int(length.Seconds() * rate / producers)
	go func() {
		in := make([]byte, 1024)
		for range n {
			if _, err := io.ReadFull(nc, in); err != nil {
				done <- err
				return
			}
			all = append(all, time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(in)))))
		}
		done <- nil
	}()
	out := make([]byte, 1024)
	err = pace(rate/producers, length, func(intended time.Time) error {
		binary.BigEndian.PutUint64(out, uint64(intended.UnixNano()))
		_, err := nc.Write(out)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, <-done
}
