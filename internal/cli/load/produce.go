package load

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/histogram"
)

// production is what `bench produce` is told.
type production struct {
	*workload
	producers int
	batch     sizeFlag
	linger    time.Duration
}

func benchProduce(a *command.App) *cobra.Command {
	p := &production{workload: newWorkload(), producers: 1, batch: 256 << 10}
	p.length = 10 * time.Second
	cmd := &cobra.Command{
		Use:   "produce [TOPIC]",
		Short: "Write records as fast as the server takes them, or at a rate",
		Long: "Write records as fast as the server takes them, or at a rate.\n\n" +
			"The latency of a record is the time from its intended moment until it is acknowledged. Without --rate the client is always full,\n" +
			"and what is measured is how long a record waits in it.",
		Example: "  ottla bench produce\n  ottla bench produce --rate 10000 --size 100 --duration 1m\n  ottla bench produce orders --records 1000000 -z lz4",
		Args:    command.Args(0, 1, "one TOPIC at most"),
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := p.check(); err != nil {
				return err
			}
			if p.producers < 1 || p.batch < 1<<10 || p.batch > 1<<30 || p.linger < 0 {
				return command.Usagef("--producers must be 1 or more, --batch 1KiB to 1GiB, --linger not negative")
			}
			if p.rate > 0 && !cmd.Flags().Changed("linger") {
				p.linger = 0
			}
			return p.onTopic(cmd.Context(), a, names, func(ctx context.Context, topic string) error { return p.run(ctx, a, topic) })
		},
	}
	p.flags(a, cmd)
	f := cmd.Flags()
	f.Int64VarP(&p.records, "records", "n", 0, "end after this many records; 0 is no bound")
	f.IntVar(&p.rate, "rate", 0, "records a second over all producers; 0 is as fast as can be")
	f.IntVar(&p.producers, "producers", p.producers, "how many clients write at the same time")
	f.Var(&p.batch, "batch", "largest batch")
	f.DurationVar(&p.linger, "linger", 5*time.Millisecond, "how long a batch waits for more records; not at all with --rate, unless it is given")
	return a.Prints(cmd, command.ObjectOf[result]("BenchResult"))
}

// producer is one client and what became of its records. The client calls back one record at a time.
type producer struct {
	client *command.Server
	hist   histogram.Histogram
	failed int64
	err    error // the first
}

func (p *production) run(ctx context.Context, a *command.App, topic string) error {
	opts := append(p.producing(), kgo.ProducerLinger(p.linger), kgo.ProducerBatchMaxBytes(int32(max(p.batch, p.size+1<<10))),
		kgo.MaxBufferedRecords(1<<16), kgo.DefaultProduceTopic(topic))
	all := make([]*producer, p.producers)
	for i := range all {
		s, err := a.Connect(ctx, opts...)
		if err != nil {
			return err
		}
		defer s.Close()
		all[i] = &producer{client: s}
	}
	var acked atomic.Int64
	value := payload(int(p.size))
	began := a.World.Now()
	watching, stop := context.WithCancel(ctx)
	shown := a.Follow(watching, all[0].client, "produced", func() (int64, int64) { n := acked.Load(); return n, n * int64(len(value)) })
	var running sync.WaitGroup
	for i, one := range all {
		running.Go(func() {
			n := p.records / int64(len(all))
			if int64(i) < p.records%int64(len(all)) {
				n++
			}
			if n > 0 || p.records == 0 {
				p.produce(ctx, a, one, value, n, &acked)
			}
		})
	}
	running.Wait()
	took := a.World.Now().Sub(began)
	stop()
	shown(" to " + topic)
	return p.sum(a, topic, all, took)
}

// produce feeds one client and waits until every record is acknowledged or has failed.
func (p *production) produce(ctx context.Context, a *command.App, one *producer, value []byte, n int64, acked *atomic.Int64) {
	rate := p.rate / p.producers
	if p.rate > 0 {
		rate = max(rate, 1)
	}
	feeding, halt := context.WithCancel(ctx)
	defer halt()
	_ = pace(feeding, a.World.Now, rate, n, p.length, func(intended time.Time) error {
		one.client.Produce(feeding, &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			switch {
			case err == nil:
				one.hist.Add(a.World.Now().Sub(intended))
				acked.Add(1)
			case feeding.Err() == nil || !aborted(err):
				one.failed++
				if one.err == nil {
					one.err = err
					halt()
				}
			}
		})
		return nil
	})
	if ctx.Err() == nil {
		_ = one.client.Flush(feeding) // its failures are the records' own
	}
}

// aborted reports whether a record is the client's own loss: it was on its way when the measurement ended.
func aborted(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) || errors.Is(err, kgo.ErrAborting)
}

func (p *production) sum(a *command.App, topic string, all []*producer, took time.Duration) error {
	var h histogram.Histogram
	var failed int64
	var first error
	for _, one := range all {
		one.client.Close() // after this no callback comes any more
		h.Merge(&one.hist)
		failed += one.failed
		if first == nil && one.err != nil {
			first = one.client.Failed("produce to "+topic, one.err)
		}
	}
	r := newResult("produce", topic, int64(h.Count()), int64(h.Count())*int64(p.size), took, &h)
	r.Failed = failed
	return cmp.Or(r.print(a), first)
}
