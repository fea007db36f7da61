package topics

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/scan"
	"github.com/ottla/ottla/internal/cli/span"
)

// statistics are what can be said about a topic's records. What a server does not tell is null.
type statistics struct {
	Name       string `json:"name"`
	Partitions int    `json:"partitions"`
	// Records counts the offsets between start and end: about the number of records.
	Records int64 `json:"records"`
	// Bytes are on the disks of the leaders, AllBytes on those of all replicas.
	Bytes    *int64 `json:"bytes"`
	AllBytes *int64 `json:"bytesOfAllReplicas"`
	// Rate is in records a second, over the time between two looks.
	Rate *float64 `json:"recordsPerSecond"`
	// First and Last are the least time at the start of a partition, and the greatest anywhere, in milliseconds since 1970.
	First  *int64          `json:"firstTimestamp"`
	Last   *int64          `json:"lastTimestamp"`
	Sample *sampleOf       `json:"sample"`
	leads  map[int32]int32 // leader by partition
}

// sampleOf is what was seen of the last records.
type sampleOf struct {
	Records    int64 `json:"records"`
	WithKey    int64 `json:"withKey"`
	Tombstones int64 `json:"tombstones"`
	// KeyBytes and ValueBytes are of all records of the sample.
	KeyBytes   int64 `json:"keyBytes"`
	ValueBytes int64 `json:"valueBytes"`
	// Codecs counts the records by the compression of their batches.
	Codecs map[string]int64 `json:"codecs"`
}

// survey holds the flags of `ottla topic stats`.
type survey struct {
	names  []string
	sample int64
	every  time.Duration
}

func topicStats(a *command.App) *cobra.Command {
	var v survey
	cmd := &cobra.Command{
		Use:   "stats NAME...",
		Short: "Show how many records topics have, how large they are, how fast they grow",
		Long: "Show how many records topics have, how large they are on disk, how fast they grow between two looks, their first and last time,\n" +
			"and, from the last records of each partition, how many have a key and how large they are.",
		Args:              command.Args(1, -1, "the NAME of a topic"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, names []string) error {
			if v.sample < 0 || v.every < 0 {
				return command.Usagef("--sample and --every must not be negative")
			}
			if err := command.CheckNames(names); err != nil {
				return err
			}
			v.names = names
			return v.run(cmd.Context(), a)
		},
	}
	cmd.Flags().Int64Var(&v.sample, "sample", 100, "how many of the last records of each partition to look at; 0 is none")
	cmd.Flags().DurationVarP(&v.every, "every", "e", time.Second, "how long to wait between the two looks for the rate; 0 is no rate")
	return a.Prints(cmd, command.ListOf[statistics]("TopicStatisticsList", "topics"))
}

func (v *survey) run(ctx context.Context, a *command.App) error {
	want := &scan.Want{Verb: "stats of", Span: span.Range{From: span.Place{Kind: span.BeforeEnd, N: v.sample}, To: span.Place{Kind: span.End}}}
	s, err := a.Connect(ctx, want.Options()...)
	if err != nil {
		return err
	}
	defer s.Close()
	bounded, cancel := a.Bounded(ctx)
	defer cancel()
	found, f, err := s.NamedTopics(bounded, "stats of", v.names)
	if err != nil {
		return err
	}
	var rows []*statistics
	var names []string
	for _, t := range found {
		row := &statistics{Name: t.Name, Partitions: len(t.Partitions), leads: map[int32]int32{}}
		for _, p := range t.Partitions {
			row.leads[p.Partition] = p.Leader
		}
		rows, names = append(rows, row), append(names, t.Name)
	}
	if len(names) > 0 {
		ends, err := v.look(bounded, a, s, rows, names)
		if err != nil {
			return err
		}
		if err := v.rate(ctx, a, s, rows, names, ends); err != nil {
			return err
		}
		want.Topics = names
		if err := v.taste(ctx, a, s, want, rows); err != nil {
			return err
		}
	}
	if len(rows) > 0 || len(f.Errs) == 0 {
		if err := command.List(a, "TopicStatisticsList", "topics", rows, statisticsColumns); err != nil {
			return err
		}
		for _, r := range rows {
			if r.Records == 0 && r.Bytes != nil && *r.Bytes > 0 {
				a.Notice("%s: its records are deleted, and leave the disk when the file they are in is no longer written", r.Name)
			}
		}
	}
	return f.Or()
}

// look asks for what one request each tells; a server may not have or not permit some of them. It returns the ends, and when they were seen.
func (v *survey) look(ctx context.Context, a *command.App, s *command.Server, rows []*statistics, names []string) (seen, error) {
	starts, err := s.Admin.ListStartOffsets(ctx, names...)
	if err != nil {
		return seen{}, s.Failed("list offsets", err)
	}
	ends, err := s.Admin.ListEndOffsets(ctx, names...)
	if err != nil {
		return seen{}, s.Failed("list offsets", err)
	}
	at := seen{ends, a.World.Now()}
	firsts, _ := s.Admin.ListOffsetsAfterMilli(ctx, 0, names...)
	lasts, _ := s.Admin.ListMaxTimestampOffsets(ctx, names...)
	dirs, _ := s.Admin.DescribeAllLogDirs(ctx, nil)
	for _, r := range rows {
		for p := range r.leads {
			from, to := offsetOf(starts, r.Name, p), offsetOf(ends, r.Name, p)
			if from != nil && to != nil {
				r.Records += *to - *from
				if *to == *from {
					continue // a time that is still told is of records that are gone
				}
			}
			r.First = better(r.First, firsts, r.Name, p, func(x, y int64) bool { return x < y })
			r.Last = better(r.Last, lasts, r.Name, p, func(x, y int64) bool { return x > y })
		}
		r.weigh(dirs)
	}
	return at, nil
}

// better is the time of a listed offset, if it has one, or have.
func better(have *int64, of kadm.ListedOffsets, topic string, partition int32, wins func(x, y int64) bool) *int64 {
	o, ok := of.Lookup(topic, partition)
	if !ok || o.Err != nil || o.Timestamp < 0 || have != nil && !wins(o.Timestamp, *have) {
		return have
	}
	return &o.Timestamp
}

// weigh adds up the bytes on disk.
func (r *statistics) weigh(dirs kadm.DescribedAllLogDirs) {
	if len(dirs) == 0 {
		return
	}
	r.Bytes, r.AllBytes = new(int64), new(int64)
	dirs.Each(func(d kadm.DescribedLogDir) {
		d.Topics.Each(func(p kadm.DescribedLogDirPartition) {
			if p.Topic != r.Name || p.IsFuture {
				return
			}
			*r.AllBytes += p.Size
			if r.leads[p.Partition] == p.Broker {
				*r.Bytes += p.Size
			}
		})
	})
}

// seen are ends and when they were seen.
type seen struct {
	ends kadm.ListedOffsets
	at   time.Time
}

// rate looks a second time.
func (v *survey) rate(ctx context.Context, a *command.App, s *command.Server, rows []*statistics, names []string, before seen) error {
	if v.every == 0 {
		return nil
	}
	timer := time.NewTimer(v.every)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	}
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	ends, err := s.Admin.ListEndOffsets(ctx, names...)
	if err != nil {
		return s.Failed("list offsets", err)
	}
	took := a.World.Now().Sub(before.at).Seconds()
	for _, r := range rows {
		var more int64
		for p := range r.leads {
			if x, y := offsetOf(before.ends, r.Name, p), offsetOf(ends, r.Name, p); x != nil && y != nil {
				more += *y - *x
			}
		}
		rate := float64(more) / max(took, 0.001)
		r.Rate = &rate
	}
	return nil
}

// taste reads the last records.
func (v *survey) taste(ctx context.Context, a *command.App, s *command.Server, w *scan.Want, rows []*statistics) error {
	if v.sample == 0 {
		return nil
	}
	plan, err := w.Plan(ctx, a, s)
	if err != nil {
		return err
	}
	ctx, stop := a.Interruptible(ctx)
	defer stop()
	progress := a.Progress("sampled")
	defer progress.End("")
	progress.Of(plan.Left())
	r := &scan.Reader{App: a, Server: s, Want: w, Plan: plan, Each: func(_ *kgo.FetchPartition, r *kgo.Record) error {
		progress.Add(1, int64(len(r.Key)+len(r.Value)))
		i := slices.IndexFunc(rows, func(row *statistics) bool { return row.Name == r.Topic })
		if rows[i].Sample == nil {
			rows[i].Sample = &sampleOf{Codecs: map[string]int64{}}
		}
		rows[i].Sample.add(r)
		return nil
	}}
	return r.Run(ctx)
}

var codecs = []string{"none", "gzip", "snappy", "lz4", "zstd"}

func (s *sampleOf) add(r *kgo.Record) {
	s.Records++
	if r.Key != nil {
		s.WithKey++
	}
	if r.Value == nil {
		s.Tombstones++
	}
	s.KeyBytes += int64(len(r.Key))
	s.ValueBytes += int64(len(r.Value))
	codec := "unknown"
	if c := int(r.Attrs.CompressionType()); c < len(codecs) {
		codec = codecs[c]
	}
	s.Codecs[codec]++
}

// share writes n of all as a percentage.
func (s *sampleOf) share(n int64) string {
	return strconv.FormatInt(100*n/max(1, s.Records), 10) + " %"
}

// ofSample is a column about the sample.
func ofSample(of func(*sampleOf) string) func(*statistics) string {
	return func(r *statistics) string {
		if r.Sample == nil {
			return "-"
		}
		return of(r.Sample)
	}
}

var statisticsColumns = []command.Column[*statistics]{
	{Name: "TOPIC", Value: func(r *statistics) string { return r.Name }},
	{Name: "PARTITIONS", Value: func(r *statistics) string { return strconv.Itoa(r.Partitions) }, Number: true},
	{Name: "RECORDS", Value: func(r *statistics) string { return strconv.FormatInt(r.Records, 10) }, Number: true},
	{Name: "SIZE", Value: func(r *statistics) string { return command.SizeOrDash(r.Bytes) }, Number: true},
	{Name: "SIZE OF ALL", Value: func(r *statistics) string { return command.SizeOrDash(r.AllBytes) }, Number: true, Wide: true},
	{Name: "RECORDS/S", Value: func(r *statistics) string {
		if r.Rate == nil {
			return "-"
		}
		return strconv.FormatFloat(*r.Rate, 'f', 0, 64)
	}, Number: true},
	{Name: "FIRST", Value: func(r *statistics) string { return command.Moment(r.First) }},
	{Name: "LAST", Value: func(r *statistics) string { return command.Moment(r.Last) }},
	{Name: "KEYED", Value: ofSample(func(s *sampleOf) string { return s.share(s.WithKey) }), Number: true},
	{Name: "TOMBSTONES", Value: ofSample(func(s *sampleOf) string { return s.share(s.Tombstones) }), Number: true, Wide: true},
	{Name: "BYTES EACH", Value: ofSample(func(s *sampleOf) string {
		return strconv.FormatInt((s.KeyBytes+s.ValueBytes)/max(1, s.Records), 10)
	}), Number: true},
	{Name: "CODEC", Value: ofSample(func(s *sampleOf) string {
		var best string
		for _, c := range append(slices.Clone(codecs), "unknown") {
			if best == "" || s.Codecs[c] > s.Codecs[best] {
				best = c
			}
		}
		return best
	})},
}
