package records

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/scan"
)

// Copying writes a range of a topic's records to a topic. Records of transactions that are not committed are left out.
type Copying struct {
	// Verb is "copy", "replay" or "clone"; Done is what was done then.
	Verb, Done string
	// From and To are topics; ToServer is where To is, "" for where From is.
	From, To, ToServer string
	// Offset is the range, as on the command line.
	Offset string
	// Repartition lets the key choose the partition; else it stays the same.
	Repartition bool
	// Now gives records the time of the copying; else they keep theirs.
	Now bool

	partitions  []int32
	rate        float64
	compression command.OneOf
	want        scan.Want
}

// copied is what -o json prints.
type copied struct {
	From     string  `json:"from"`
	To       string  `json:"to"`
	ToServer string  `json:"toServer,omitempty"`
	Records  int64   `json:"records"`
	Bytes    int64   `json:"bytes"`
	Seconds  float64 `json:"seconds"`
}

// NewCopying returns one of all records, that keeps partitions and times.
func NewCopying(verb, done string) *Copying {
	return &Copying{Verb: verb, Done: done, Offset: "start", compression: compressions()}
}

func compressions() command.OneOf { return command.Choice("none", "gzip", "snappy", "lz4", "zstd") }

// Prints is what a command that copies prints.
func Prints() command.Document { return command.ObjectOf[copied]("RecordCopyResult") }

func (c *Copying) flags(a *command.App, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&c.Offset, "offset", "O", "start", "which records: `FROM[:TO]`, as `ottla consume` takes them")
	f.Int32SliceVarP(&c.partitions, "partition", "p", nil, "only these partitions, `N,...`")
	f.BoolVar(&c.Repartition, "repartition", false, "let the key choose the partition, as Java's clients do; else it stays the same")
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress and no summary on standard error")
	c.SpeedFlags(cmd)
}

// SpeedFlags adds the flags of how to write.
func (c *Copying) SpeedFlags(cmd *cobra.Command) {
	rateFlag(cmd.Flags(), &c.rate)
	cmd.Flags().VarP(&c.compression, "compression", "z", "codec of the batches")
	command.CompleteFlags(cmd, map[string]*command.OneOf{"compression": &c.compression})
}

// Parse checks what the flags hold.
func (c *Copying) Parse(now time.Time) error {
	c.want = scan.Want{Verb: c.Verb, Topics: []string{c.From}, Partitions: c.partitions, Committed: true}
	if err := c.want.Parse(c.Offset, now); err != nil {
		return err
	}
	switch {
	case c.want.Follow:
		return command.Usagef("--offset %s: there is nothing behind the end yet", c.Offset)
	case badRate(c.rate):
		return command.Usagef(wantRate)
	}
	return command.CheckNames([]string{c.To})
}

func (c *Copying) what() string {
	return fmt.Sprintf("%s %q to %q", c.Verb, c.From, c.To)
}

// Run copies: what there is when it begins, and nothing that is written after that. ask, if not nil, is shown the plan before.
func (c *Copying) Run(ctx context.Context, a *command.App, ask func(steps []string) (goOn bool, err error)) error {
	from, err := a.Connect(ctx, c.want.Options()...)
	if err != nil {
		return err
	}
	defer from.Close()
	plan, err := c.want.Plan(ctx, a, from)
	if err != nil {
		return err
	}
	to, err := c.target(ctx, a, from, plan)
	if err != nil {
		return err
	}
	defer to.Close()
	if ask != nil {
		if goOn, err := ask(c.steps(plan)); err != nil || !goOn {
			return err
		}
	}
	ctx, stop := a.World.Interruptible(ctx)
	defer stop()
	reading, halt := context.WithCancel(ctx)
	defer halt()
	w := newWriter(a, to, c.what(), c.Done, patience)
	w.progress.Of(plan.Left())
	pace := newPace(c.rate, a.World.Now)
	w.feed = func(fed context.Context, give func(*kgo.Record)) error {
		defer context.AfterFunc(fed, halt)()
		r := &scan.Reader{App: a, Server: from, Want: &c.want, Plan: plan, Each: func(_ *kgo.FetchPartition, r *kgo.Record) error {
			if !pace.wait(fed) {
				return fed.Err()
			}
			give(c.record(r))
			return nil
		}}
		return r.Run(reading)
	}
	err = w.run(ctx, strconv.Quote(c.To), func() error { return c.summarize(a, w) })
	if err == nil && ctx.Err() != nil {
		err = &command.Error{What: c.what(), Where: from.Where, Exit: command.Partial, Err: errors.New("interrupted before the end was reached")}
	}
	return err
}

// patience is how long to wait for an acknowledgement.
const patience = 30 * time.Second

// record is what is written in place of r.
func (c *Copying) record(r *kgo.Record) *kgo.Record {
	to := &kgo.Record{Key: r.Key, Value: r.Value, Headers: r.Headers, Partition: r.Partition}
	if !c.Now {
		to.Timestamp = r.Timestamp
	}
	return to
}

func (c *Copying) summarize(a *command.App, w *writer) error {
	if a.Output.Value != "json" {
		return nil
	}
	return a.Object("RecordCopyResult", copied{c.From, c.To, c.ToServer, w.progress.Records, w.progress.Bytes, w.seconds()})
}

// steps is the plan in words.
func (c *Copying) steps(plan *scan.Plan) []string {
	var steps []string
	for _, p := range plan.Ranges() {
		if p.To > p.From {
			steps = append(steps, fmt.Sprintf("%s %s of %s-%d, offsets %d to %d, to %s", c.Verb, command.Count(p.To-p.From, "record"), p.Topic, p.Partition, p.From, p.To-1, c.To))
		}
	}
	return steps
}

// target connects to where the records go, and finds out before the first whether they can.
func (c *Copying) target(ctx context.Context, a *command.App, from *command.Server, plan *scan.Plan) (*command.Server, error) {
	connect, probe := a.Connect, from
	if c.ToServer != "" {
		connect = a.ConnectElsewhere(c.ToServer)
		var err error
		if probe, err = connect(ctx); err != nil {
			return nil, err
		}
		defer probe.Close()
	}
	largest, err := c.check(ctx, a, probe, plan)
	if err != nil {
		return nil, err
	}
	p := &production{delivery: command.TimeoutFlag(patience), maxBytes: largest, compression: c.compression, acks: command.Choice("all"),
		partitioner: command.Choice("murmur2"), partition: -1, linger: 10 * time.Millisecond}
	if !c.Repartition {
		p.partition = 0 // that of each record
	}
	return connect(ctx, p.options(c.To)...)
}

// check finds the target, and returns the largest batch that it takes, in bytes.
func (c *Copying) check(ctx context.Context, a *command.App, s *command.Server, plan *scan.Plan) (int32, error) {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	found, f, err := s.NamedTopics(ctx, c.Verb+" to", []string{c.To})
	if err != nil {
		return 0, err
	}
	if len(f.Errs) > 0 {
		var e *command.Error
		switch {
		case !errors.As(f.Errs[0], &e):
		case c.ToServer != "":
			e.Hint = "`ottla topic clone` makes a topic like another one and copies its records"
		case errors.Is(e, kerr.UnknownTopicOrPartition): // a name that is near may be that of the topic that is copied
			e.Hint = fmt.Sprintf("`ottla topic create %s` makes it", c.To)
		}
		return 0, f.Errs[0]
	}
	there := len(found[0].Partitions)
	for _, p := range plan.Ranges() {
		if !c.Repartition && int(p.Partition) >= there && p.To > p.From {
			return 0, &command.Error{What: c.what(), Where: s.Where, Exit: command.NotFound,
				Err:  fmt.Errorf("%q has %s, and partition %d has records", c.To, command.Count(int64(there), "partition"), p.Partition),
				Hint: "--repartition lets the key choose the partition; `ottla topic alter` adds partitions"}
		}
	}
	return largestBatch(ctx, s, c.To), nil
}

// largestBatch is a topic's max.message.bytes, or Kafka's default where the server does not tell.
func largestBatch(ctx context.Context, s *command.Server, topic string) int32 {
	configs, err := s.Admin.DescribeTopicConfigs(ctx, topic)
	if err == nil && len(configs) == 1 {
		for _, k := range configs[0].Configs {
			if n, err := strconv.ParseInt(k.MaybeValue(), 10, 32); err == nil && k.Key == "max.message.bytes" && n >= smallestMaxBytes {
				return int32(min(n, 1<<30))
			}
		}
	}
	return defaultMaxBytes
}

func recordCopy(a *command.App) *cobra.Command {
	c := NewCopying("copy", "copied")
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "copy FROM TO",
		Short: "Copy a topic's records to another topic, also of another server",
		Long: "Copy a topic's records to another topic, which must be there: `ottla topic clone --records` makes one and\n" +
			"copies. Keys, values, headers, times and partitions stay the same; offsets do not, where the first topic has gaps or the second\n" +
			"has records. What is there when it begins is copied, and nothing that is written after that.",
		Example: "  ottla record copy orders orders-test --offset @-1h\n" +
			"  ottla record copy orders orders --to-server staging:9092 -z zstd",
		Args:              command.Args(2, 2, "FROM and TO"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.From, c.To = args[0], args[1]
			if c.From == c.To && c.ToServer == "" {
				e := command.Usagef("this would write the records of %q to itself", c.From)
				e.Hint = "`ottla record replay` does that"
				return e
			}
			if err := c.Parse(a.World.Now()); err != nil {
				return err
			}
			return c.Run(cmd.Context(), a, func(steps []string) (bool, error) {
				if dryRun {
					return false, a.Planned(steps, &command.Failures{})
				}
				return true, nil
			})
		},
	}
	c.flags(a, cmd)
	cmd.Flags().StringVar(&c.ToServer, "to-server", "", "where TO is, `HOST:PORT,...`; else where FROM is")
	cmd.Flags().BoolVar(&c.Now, "now", false, "give the records the time of the copying; else they keep theirs")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be copied and do nothing")
	return a.Prints(cmd, Prints(), command.PlanOf())
}

func recordReplay(a *command.App) *cobra.Command {
	c := NewCopying("replay", "replayed")
	var keep bool
	d := command.Danger{Does: "writes records a second time"}
	cmd := &cobra.Command{
		Use:   "replay TOPIC",
		Short: "Write records of a topic again, to the same topic or another",
		Long: "Write records of a topic again, so that its consumers see them once more: to the same topic (then it asks first), or to the one of\n" +
			"--to. They get the time of the replay, unless --keep-time is given. What is there when it begins is replayed, once.",
		Example: "  ottla record replay orders --offset @-10m --rate 100\n" +
			"  ottla record replay orders -p 0 --offset 47:48 --yes\n" +
			"  ottla record replay orders-dlq --to orders",
		Args:              command.Args(1, 1, "a TOPIC"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.From, c.Now = args[0], !keep
			if c.To == "" {
				c.To = c.From
			}
			if err := c.Parse(a.World.Now()); err != nil {
				return err
			}
			same := c.From == c.To
			if same {
				if err := a.MayAsk(d); err != nil {
					return err
				}
			}
			return c.Run(cmd.Context(), a, func(steps []string) (bool, error) {
				switch {
				case d.DryRun:
					return false, a.Planned(steps, &command.Failures{})
				case same && len(steps) > 0:
					err := a.Confirm(d, steps)
					return err == nil, err
				}
				return true, nil
			})
		},
	}
	c.flags(a, cmd)
	cmd.Flags().StringVar(&c.To, "to", "", "write to this `TOPIC` instead")
	command.CompleteFlag(cmd, "to", a.CompleteTopics)
	cmd.Flags().BoolVar(&keep, "keep-time", false, "keep the records' times")
	d.Flags(cmd.Flags())
	return a.Prints(cmd, Prints())
}
