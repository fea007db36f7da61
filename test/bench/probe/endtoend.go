package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/histogram"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/test/bench/load"
)

// Plan is what a probe sends. Producers and consumers have a connection and a partition each.
type Plan struct {
	Topic     string
	Rate      int           // records a second, over all producers
	Producers int           // and as many consumers
	Size      int           // bytes of a value
	Lead      time.Duration // before the run: records that are sent likewise and not counted
	Length    time.Duration // of the run
	All       bool          // acks=all, not 1
	// Leaders are the addresses of the partitions' leaders; nil is one node that leads all.
	Leaders []string
}

func (p Plan) leader(address string, partition int) string {
	if p.Leaders == nil {
		return address
	}
	return p.Leaders[partition]
}

// Procs is how many Go threads the probe needs at once even on one CPU: its sleeps hold theirs.
const Procs = 6

func (p Plan) count() int { return int((p.Lead + p.Length).Seconds() * float64(p.Rate)) }

// EndToEnd produces records one by one at their intended times and consumes them at the tail. The histogram has the times
// from the intended moment to the moment when the consumer has the record.
func EndToEnd(ctx context.Context, address string, p Plan) (*histogram.Histogram, error) {
	consumers := make([]*load.Tail, p.Producers)
	producers := make([]*load.Conn, p.Producers)
	for i := range p.Producers {
		var err error
		if consumers[i], err = load.OpenTail(p.leader(address, i), p.Topic, int32(i)); err != nil {
			return nil, err
		}
		defer consumers[i].Close()
		if producers[i], err = load.Dial(p.leader(address, i)); err != nil {
			return nil, err
		}
		defer producers[i].Close()
	}
	hists := make([]histogram.Histogram, p.Producers)
	errs := make([]error, 2*p.Producers+1)
	from := time.Now().Add(p.Lead)
	var group sync.WaitGroup
	for i := range p.Producers {
		expected := (p.count() - i + p.Producers - 1) / p.Producers
		group.Go(func() { errs[2*i] = p.receive(consumers[i], &hists[i], expected, from) })
		group.Go(func() { errs[2*i+1] = acknowledged(producers[i], expected) })
	}
	group.Go(func() { errs[2*p.Producers] = p.send(ctx, producers) })
	group.Wait()
	all := &hists[0]
	for i := range hists[1:] {
		all.Merge(&hists[i+1])
	}
	return all, errors.Join(errs...)
}

// quiet is how long nothing may come before the rest counts as lost.
const quiet = 20 * time.Second

// receive reads as many records as are expected, and counts those that were to be sent from a moment on.
func (p Plan) receive(c *load.Tail, h *histogram.Histogram, expected int, from time.Time) error {
	for n := 0; n < expected; {
		if err := c.Expect(quiet); err != nil {
			return err
		}
		records, err := c.Next()
		if err != nil {
			return fmt.Errorf("%d of %d records came: %w", n, expected, err)
		}
		now := time.Now()
		for {
			b, rest, err := record.Next(records)
			if err != nil {
				break // the last one may be cut short
			}
			// A batch of one record: its value, and no headers behind it.
			if len(b) < p.Size+1 {
				return fmt.Errorf("a batch of %d bytes among those of the probe", len(b))
			}
			sent := time.Unix(0, int64(binary.BigEndian.Uint64(b[len(b)-p.Size-1:])))
			if !sent.Before(from) {
				if err := count(h, now.Sub(sent)); err != nil {
					return err
				}
			}
			n++
			records = rest
		}
	}
	return nil
}

// count refuses what came before it was to leave: the instrument would be wrong, and its median too good.
func count(h *histogram.Histogram, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("a record came %v before it was to be sent", -d)
	}
	h.Add(d)
	return nil
}

func acknowledged(c *load.Conn, expected int) error {
	for n := range expected {
		if err := c.Expect(quiet); err != nil {
			return err
		}
		body, err := c.Answer()
		if err == nil {
			err = load.Produced(body)
		}
		if err != nil {
			return fmt.Errorf("%d of %d records are acknowledged: %w", n, expected, err)
		}
	}
	return nil
}

// send paces all records from one thread, the producers in turn.
func (p Plan) send(ctx context.Context, producers []*load.Conn) error {
	value := make([]byte, p.Size)
	var b record.Builder
	var batch []byte
	start := time.Now().Add(50 * time.Millisecond) // the consumers' first fetches wait by then
	return pace(p.Rate, p.count(), start, func(i int, intended time.Time) error {
		binary.BigEndian.PutUint64(value, uint64(intended.UnixNano()))
		b.Begin(record.NewOptions(0, -1))
		b.Add(intended.UnixMilli(), nil, value)
		var err error
		if batch, err = b.AppendTo(batch[:0]); err != nil {
			return err
		}
		c := producers[i%len(producers)]
		req := load.ProduceRequest(p.Topic, int32(i%len(producers)), batch)
		if p.All {
			req.Acks = -1
		}
		if err := c.Write(c.Frame(req)); err != nil {
			return err
		}
		return ctx.Err()
	})
}

// EchoControl sends frames of the same size to an echo server at the same pace.
func EchoControl(ctx context.Context, address string, p Plan) (*histogram.Histogram, error) {
	conns := make([]net.Conn, p.Producers)
	for i := range conns {
		var err error
		if conns[i], err = net.Dial("tcp", address); err != nil {
			return nil, err
		}
		defer conns[i].Close()
	}
	hists := make([]histogram.Histogram, p.Producers)
	errs := make([]error, p.Producers+1)
	var group sync.WaitGroup
	for i, c := range conns {
		expected := (p.count() - i + p.Producers - 1) / p.Producers
		group.Go(func() {
			in := make([]byte, p.Size)
			for range expected {
				if errs[i] = c.SetReadDeadline(time.Now().Add(quiet)); errs[i] != nil {
					return
				}
				if _, errs[i] = io.ReadFull(c, in); errs[i] != nil {
					return
				}
				if errs[i] = count(&hists[i], time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(in))))); errs[i] != nil {
					return
				}
			}
		})
	}
	group.Go(func() {
		out := make([]byte, p.Size)
		errs[p.Producers] = pace(p.Rate, p.count(), time.Now().Add(20*time.Millisecond), func(i int, intended time.Time) error {
			binary.BigEndian.PutUint64(out, uint64(intended.UnixNano()))
			if _, err := conns[i%len(conns)].Write(out); err != nil {
				return err
			}
			return ctx.Err()
		})
	})
	group.Wait()
	all := &hists[0]
	for i := range hists[1:] {
		all.Merge(&hists[i+1])
	}
	return all, errors.Join(errs...)
}
