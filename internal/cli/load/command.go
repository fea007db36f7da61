package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// Command is `ottla bench`.
func Command(a *command.App) *cobra.Command {
	cmd := command.Parent(&cobra.Command{
		Use:   "bench",
		Short: "Measure how fast a server is: produce, consume, end to end",
		Long: "Measure how fast a server is, with this machine as its client.\n\n" +
			"Without a TOPIC a new one is made, and deleted at the end. Only servers on this machine are measured unless --allow-remote is given:\n" +
			"a full load is nothing to send by mistake.",
	}, benchProduce(a), benchConsume(a), benchEndToEnd(a))
	a.ClientFlags(cmd.PersistentFlags())
	return cmd
}

// workload is what all measurements are told.
type workload struct {
	records     int64
	length      time.Duration
	size        sizeFlag
	rate        int
	partitions  int32
	replication int16
	compression command.OneOf
	acks        command.OneOf
	remote      bool
}

func newWorkload() *workload {
	return &workload{size: 1 << 10, compression: command.Choice("none", "gzip", "snappy", "lz4", "zstd"), acks: command.Choice("all", "1", "0")}
}

func (w *workload) flags(a *command.App, cmd *cobra.Command) {
	f := cmd.Flags()
	f.DurationVarP(&w.length, "duration", "d", w.length, "how long to go on")
	f.VarP(&w.size, "size", "s", "bytes of each record's value, such as 100, 1KiB or 1MiB")
	f.Int32VarP(&w.partitions, "partitions", "p", 12, "partitions of the topic that is made")
	f.Int16VarP(&w.replication, "replicas", "r", -1, "replicas of each; -1 is the server's default.replication.factor")
	f.VarP(&w.compression, "compression", "z", "codec of the batches")
	f.Var(&w.acks, "acks", "who must have a record before it counts as written: all in-sync replicas, the leader (1), nobody (0)")
	w.remoteFlag(a, cmd)
	command.CompleteFlags(cmd, map[string]*command.OneOf{"compression": &w.compression, "acks": &w.acks})
}

func (w *workload) remoteFlag(a *command.App, cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&w.remote, "allow-remote", false, "measure a server on another machine")
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress on standard error")
	cmd.ValidArgsFunction = a.CompleteTopics
}

// check refuses what can't be measured.
func (w *workload) check() error {
	switch {
	case w.records < 0 || w.rate < 0:
		return command.Usagef("--records and --rate must not be negative")
	case w.records == 0 && w.length <= 0:
		return command.Usagef("--duration must be above zero")
	case w.partitions < 1:
		return command.Usagef("--partitions must be 1 or more")
	}
	return nil
}

// producing are the client's options for writing records as they were given.
func (w *workload) producing() []kgo.Opt {
	codec := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}[w.compression.Value]
	opts := []kgo.Opt{kgo.ProducerBatchCompression(codec), kgo.ProducerBatchMaxBytes(int32(min(max(1<<20, int(w.size)+1<<10), 1<<30))),
		kgo.RecordPartitioner(kgo.RoundRobinPartitioner())}
	switch w.acks.Value {
	case "1":
		opts = append(opts, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	case "0":
		opts = append(opts, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	}
	return opts
}

// onTopic connects and has do measure on the topic named, or on one that exists for that long only.
func (w *workload) onTopic(ctx context.Context, a *command.App, names []string, do func(ctx context.Context, topic string) error) error {
	if err := w.mayConnect(a); err != nil {
		return err
	}
	s, err := a.Connect(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := w.mayLoad(ctx, a, s); err != nil {
		return err
	}
	ctx, stop := a.World.Interruptible(ctx)
	defer stop()
	if len(names) > 0 {
		found, f, err := s.NamedTopics(ctx, "measure", names)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return f.Or()
		}
		return do(ctx, names[0])
	}
	topic := fmt.Sprintf("ottla-bench-%08x", rand.Uint32())
	if err := w.makeTopic(ctx, a, s, topic); err != nil {
		return err
	}
	a.Notice("measuring on the topic %s%s, which is deleted at the end", topic, w.bounds())
	err = do(ctx, topic)
	gone, cancel := a.Bounded(context.WithoutCancel(ctx)) // Ctrl-C ends the measurement, not the tidying
	defer cancel()
	if resp, derr := s.Admin.DeleteTopic(gone, topic); derr != nil || resp.Err != nil {
		a.Notice("the topic %s is left behind: %v", topic, errors.Join(derr, resp.Err))
	}
	return err
}

// bounds says how much will be written, for a person who may not have so much room.
func (w *workload) bounds() string {
	switch {
	case w.records > 0:
		return fmt.Sprintf(", %s of %d bytes", command.Count(w.records, "record"), w.size)
	case w.rate > 0:
		return fmt.Sprintf(", %v records a second of %d bytes for %v", w.rate, w.size, w.length)
	}
	return fmt.Sprintf(", for %v as fast as it goes (--records and --rate bound what is written)", w.length)
}

func (w *workload) makeTopic(ctx context.Context, a *command.App, s *command.Server, topic string) error {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	resp, err := s.Admin.CreateTopic(ctx, w.partitions, w.replication, nil, topic)
	if err != nil {
		return s.Failed(fmt.Sprintf("create topic %q", topic), err)
	}
	if resp.Err != nil {
		return s.Failed(fmt.Sprintf("create topic %q", topic), command.Answered(resp.Err, resp.ErrMessage))
	}
	s.Settle(ctx, topic)
	return nil
}

// mayConnect refuses addresses that are not loopback before anything is sent there.
func (w *workload) mayConnect(a *command.App) error {
	if w.remote {
		return nil
	}
	given, err := a.Settings()
	if err != nil {
		return err
	}
	addresses, err := given.Addresses()
	if err != nil {
		return nil // Connect says it, with what to do about it
	}
	for _, address := range addresses {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		if err := loopback(host); err != nil {
			return err
		}
	}
	return nil
}

func loopback(host string) error {
	if command.Loopback(host) {
		return nil
	}
	e := command.Usagef("%s is not a loopback address, and a full load is nothing to send by mistake", host)
	e.Hint = "--allow-remote measures it all the same"
	return e
}

// mayLoad refuses servers that name other addresses: there the records would go.
func (w *workload) mayLoad(ctx context.Context, a *command.App, s *command.Server) error {
	if w.remote {
		return nil
	}
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	meta, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, s.Client)
	if err != nil {
		return s.Failed("ask for the servers", err)
	}
	for _, b := range meta.Brokers {
		if err := loopback(b.Host); err != nil {
			return err
		}
	}
	return nil
}
