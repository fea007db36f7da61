package records

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/span"
)

// production holds the flags of `ottla produce`.
type production struct {
	key         string
	keyGiven    bool
	separator   string
	headers     []string
	format      string
	input       command.OneOf
	files       []string
	delimiter   string
	emptyNull   bool
	partition   int32
	partitioner command.OneOf
	timestamp   string
	compression command.OneOf
	level       int
	acks        command.OneOf
	noIdem      bool
	autoCreate  bool
	linger      time.Duration
	delivery    command.TimeoutFlag
	maxBytes    int32
	rate        float64

	delim, sep []byte             // unescaped
	fixed      []kgo.RecordHeader // parsed headers
	at         time.Time          // parsed timestamp; zero: now
}

// smallestMaxBytes is the least --max-message-bytes: kgo wants room for the head of a batch.
const smallestMaxBytes = 1 << 10

// defaultMaxBytes is Kafka's own bound of a batch.
const defaultMaxBytes = 1048588

// ProduceCommand is `ottla produce`.
func ProduceCommand(a *command.App) *cobra.Command {
	p := &production{
		input:       command.Choice("lines", "jsonl", "whole"),
		partitioner: command.Choice("murmur2", "crc32", "roundrobin"),
		compression: compressions(),
		acks:        command.Choice("all", "-1", "1", "0"),
		delivery:    command.TimeoutFlag(30 * time.Second),
	}
	cmd := &cobra.Command{
		Use:   "produce TOPIC",
		Short: "Write records to a topic, one from each line of the input",
		Long: "Write records to a topic. Each line of the input is the value of a record, byte for byte, without its line end.\n\n" +
			"--format takes the escapes %t %k %v %h{…} %p %d, the sizes %K %V %H before them, and \\n \\t \\xNN;\n" +
			"'%k\\t%v\\n' reads a key and a value from each line, '%V{big32}%v' values with their length before them.\n" +
			"The topic of the command line is the one that counts.",
		Example: "  seq 10 | ottla produce numbers\n" +
			"  ottla produce users -K '\\t' --file users.tsv --compression zstd\n" +
			"  ottla consume a -o jsonl | ottla produce b --input jsonl",
		Args:              command.Args(1, 1, "one TOPIC"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.keyGiven = cmd.Flags().Changed("key")
			if err := p.parse(); err != nil {
				return err
			}
			return produce(cmd.Context(), a, p, args[0])
		},
	}
	p.flags(cmd)
	a.ClientFlags(cmd.Flags())
	cmd.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "no progress and no summary on standard error")
	a.Prints(cmd, command.ObjectOf[summary]("ProduceResult"), command.LinesOf[written]())
	return cmd
}

func (p *production) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&p.key, "key", "k", "", "the `KEY` of every record")
	f.StringVarP(&p.separator, "key-separator", "K", "", "each line is a key, this separator `SEP`, and a value")
	f.StringArrayVarP(&p.headers, "header", "H", nil, "a header of every record, `NAME=VALUE`, or NAME for a null value (may be repeated)")
	f.StringVarP(&p.format, "format", "f", "", "how the input is laid out, a `FORMAT` with % escapes")
	f.VarP(&p.input, "input", "i", "shape of the input: lines, objects as consume -o jsonl writes them, or each file one record")
	f.StringArrayVar(&p.files, "file", nil, "read this `FILE` instead of standard input; - is standard input (may be repeated)")
	f.StringVarP(&p.delimiter, "delimiter", "D", `\n`, "what `TEXT` ends a record; \\r \\n \\t \\0 \\xNN are understood")
	f.BoolVarP(&p.emptyNull, "empty-null", "Z", false, "an empty value or key is null: a tombstone in a compacted topic")
	f.Int32VarP(&p.partition, "partition", "p", -1, "write to this partition only; -1 lets key and partitioner choose")
	f.Var(&p.partitioner, "partitioner", "how a key becomes a partition: as Java's clients, as librdkafka's, or none")
	f.StringVar(&p.timestamp, "timestamp", "", "time of every record: RFC 3339, a date, or milliseconds since 1970 (default: now)")
	f.VarP(&p.compression, "compression", "z", "codec of the batches")
	f.IntVar(&p.level, "compression-level", 0, "level of the codec; 0 is its default")
	f.Var(&p.acks, "acks", "who must have a record before it counts as written: all in-sync replicas, the leader (1), nobody (0)")
	f.BoolVar(&p.noIdem, "no-idempotence", false, "do not number the batches, so that a retry may write one twice (always so with --acks 0 or 1)")
	f.BoolVar(&p.autoCreate, "auto-create", false, "let the server create the topic, if it is set to do so")
	f.DurationVar(&p.linger, "linger", 10*time.Millisecond, "how long to wait for more records before a batch is sent")
	f.Var(&p.delivery, "delivery-timeout", "how long to go on trying when nothing is acknowledged; one answer is waited for a sixth of it, or --request-timeout")
	rateFlag(f, &p.rate)
	f.Int32Var(&p.maxBytes, "max-message-bytes", defaultMaxBytes, "largest batch, and so largest record")
	command.CompleteFlags(cmd, map[string]*command.OneOf{"input": &p.input, "partitioner": &p.partitioner, "compression": &p.compression, "acks": &p.acks})
}

// parse checks what the flags hold and how they go together.
func (p *production) parse() error {
	var err error
	switch {
	case p.keyGiven && p.separator != "":
		return command.Usagef("--key and --key-separator exclude each other")
	case p.format != "" && (p.separator != "" || p.input.Value != "lines" || p.delimiter != `\n`):
		return command.Usagef("--format lays out the whole input: it excludes --key-separator, --input and --delimiter")
	case p.separator != "" && p.input.Value != "lines":
		return command.Usagef("--key-separator is for --input lines")
	case p.maxBytes < smallestMaxBytes || p.maxBytes > 1<<30:
		return command.Usagef("--max-message-bytes must be between %d and %d", smallestMaxBytes, 1<<30)
	case p.partition < -1:
		return command.Usagef("--partition must be 0 or more")
	case p.linger < 0:
		return command.Usagef("--linger must not be negative")
	case badRate(p.rate):
		return command.Usagef(wantRate)
	}
	if p.delim, err = unescape(p.delimiter); err != nil || len(p.delim) == 0 {
		return command.Usagef("--delimiter: %v", orText(err, "must not be empty"))
	}
	if p.sep, err = unescape(p.separator); err != nil {
		return command.Usagef("--key-separator: %v", err)
	}
	if p.timestamp != "" {
		if p.at, err = span.ParseTime(p.timestamp); err != nil {
			return command.Usagef("--timestamp: %v", err)
		}
	}
	p.fixed, err = parseHeaders(p.headers)
	return err
}

func orText(err error, text string) error {
	if err == nil {
		return errors.New(text)
	}
	return err
}

func parseHeaders(given []string) ([]kgo.RecordHeader, error) {
	var all []kgo.RecordHeader
	for _, g := range given {
		h := kgo.RecordHeader{Key: g}
		for i := range len(g) {
			if g[i] == '=' {
				h.Key, h.Value = g[:i], append([]byte{}, g[i+1:]...)
				break
			}
		}
		if h.Key == "" {
			return nil, command.Usagef("--header %q: want NAME=VALUE", g)
		}
		all = append(all, h)
	}
	return all, nil
}

// produce reads the input and writes it to the topic until the input ends, a record fails, or the user stops it.
func produce(ctx context.Context, a *command.App, p *production, topic string) error {
	if err := command.CheckNames([]string{topic}); err != nil {
		return err
	}
	src, closeAll, err := sources(a, p)
	if err != nil {
		return err
	}
	defer closeAll()
	s, err := a.Connect(ctx, append(p.options(topic), a.Patient(time.Duration(p.delivery))...)...)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := checkTarget(ctx, a, s, p, topic); err != nil {
		return err
	}
	ctx, stop := a.World.Interruptible(ctx)
	defer stop()
	byHand := a.World.InTTY && len(p.files) == 0
	if byHand {
		a.Notice("each line becomes a record; Ctrl-D ends")
	}
	w := newWriter(a, s, fmt.Sprintf("produce to topic %q", topic), "produced", time.Duration(p.delivery))
	if byHand {
		w.progress.Mute()
	}
	w.feed = p.feed(src, newPace(p.rate, a.World.Now))
	if a.Output.Value == "jsonl" {
		w.kept = func(r *kgo.Record) {
			// An error of the output comes up at the end; the records are written all the same.
			_ = command.Encode(a.Out, written{r.Topic, r.Partition, r.Offset, r.Timestamp.UnixMilli()})
		}
	}
	err = w.run(ctx, topic, func() error {
		if a.Output.Value != "json" {
			return nil
		}
		return a.Object("ProduceResult", summary{topic, w.progress.Records, w.progress.Bytes, w.seconds()})
	})
	if err == nil && w.progress.Records > 0 {
		a.Next("`ottla consume %s%s` prints what is there", topic, a.Again())
	}
	return err
}

// checkTarget finds out before the first record whether the topic and the partition are there.
func checkTarget(ctx context.Context, a *command.App, s *command.Server, p *production, name string) error {
	if p.autoCreate {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, max(a.Timeout(), time.Duration(p.delivery)))
	defer cancel()
	found, f, err := s.NamedTopics(ctx, "produce to", []string{name})
	if err != nil {
		return err
	}
	if len(f.Errs) > 0 {
		return f.Errs[0]
	}
	if n := len(found[0].Partitions); int(p.partition) >= n {
		return s.NoPartition(fmt.Sprintf("produce to topic %q", name), p.partition, n)
	}
	return nil
}

// options are the client's, as the flags want them.
func (p *production) options(topic string) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.DefaultProduceTopic(topic),
		kgo.ProducerLinger(p.linger),
		kgo.ProduceRequestTimeout(time.Duration(p.delivery)),
		kgo.ProducerBatchMaxBytes(p.maxBytes),
		kgo.BrokerMaxWriteBytes(max(100<<20, p.maxBytes+1<<20)),
		kgo.MaxBufferedRecords(1 << 16),
		kgo.MaxBufferedBytes(max(64<<20, 2*int(p.maxBytes))),
		kgo.ProducerBatchCompression(p.codec()),
	}
	switch p.acks.Value {
	case "0":
		opts = append(opts, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	case "1":
		opts = append(opts, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	default:
		if p.noIdem {
			opts = append(opts, kgo.DisableIdempotentWrite())
		}
	}
	if p.autoCreate {
		opts = append(opts, kgo.AllowAutoTopicCreation())
	}
	return append(opts, kgo.RecordPartitioner(p.choosePartitioner()))
}

func (p *production) codec() kgo.CompressionCodec {
	c := map[string]kgo.CompressionCodec{
		"gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}[p.compression.Value]
	if p.level != 0 {
		c = c.WithLevel(p.level)
	}
	return c
}

// sources opens the input.
func sources(a *command.App, p *production) (source, func(), error) {
	var all several
	var open []io.Closer
	closeAll := func() {
		for _, c := range open {
			c.Close()
		}
	}
	files := p.files
	if len(files) == 0 {
		files = []string{"-"}
	}
	for _, name := range files {
		r := a.World.In
		if name != "-" {
			f, err := os.Open(name)
			if err != nil {
				closeAll()
				return nil, nil, &command.Error{What: "produce", Err: err}
			}
			open = append(open, f)
			r = f
		}
		s, err := p.source(r)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		all.all = append(all.all, s)
	}
	return &all, closeAll, nil
}

func (p *production) source(r io.Reader) (source, error) {
	split := splitter{r: r, delim: p.delim, limit: int(p.maxBytes)}
	switch {
	case p.format != "":
		return newFormatted(r, p.format)
	case p.input.Value == "jsonl":
		return &jsonLines{split}, nil
	case p.input.Value == "whole":
		return &whole{r: r, limit: int(p.maxBytes)}, nil
	}
	return &lines{split, p.sep}, nil
}
