package kafkatools

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// receivePlan is what the command line of a verifiable consumer asks for.
type receivePlan struct {
	settings   settings
	topic      string
	most       int64 // records, -1 for no end
	verbose    bool
	autoCommit bool
}

func verifiableConsumer(ctx context.Context, w *World, args []string) int {
	c := jopt.NewCommand("verifiable-consumer", "Consumes records and prints what happens to the consumer.")
	server := c.Option("The servers to begin with.", "--bootstrap-server").Required()
	topic := c.Option("Consume this topic.", "--topic").Required()
	protocol := c.Option("The protocol of the group: CLASSIC or CONSUMER.", "--group-protocol").Default("classic")
	assignor := c.Option("The assignor of a group of the protocol CONSUMER.", "--group-remote-assignor")
	group := c.Option("The group to consume in.", "--group-id").Required()
	instance := c.Option("The name of a static member.", "--group-instance-id")
	most := c.Option("Consume so many records; -1 for no end.", "--max-messages").Int().Default("-1")
	session := c.Option("The session timeout in milliseconds.", "--session-timeout").Int()
	verbose := c.Flag("Print each record.", "--verbose")
	auto := c.Flag("Commit offsets at intervals.", "--enable-autocommit")
	reset := c.Option("Where to begin: earliest, latest or none.", "--reset-policy").Default("earliest")
	strategy := c.Option("The assignor of a group of the protocol CLASSIC.", "--assignment-strategy").Default("org.apache.kafka.clients.consumer.RangeAssignor")
	oldConfig := c.Option("The old name of --command-config.", "--consumer.config")
	config := c.Option("A file of configurations.", "--command-config")
	if len(args) == 0 {
		args = []string{"--help"}
	}
	f, exit, goOn := w.parseCommand(c, args)
	if !goOn {
		return exit
	}
	p := &receivePlan{topic: f.Value(topic), most: int64(f.Int(most)), verbose: f.Has(verbose), autoCommit: f.Has(auto)}
	var err error
	if p.settings, err = verifiableSettings(w, f, oldConfig, config); err != nil {
		return w.argFail("verifiable-consumer", err)
	}
	set := func(key string, a *jopt.Arg) {
		if v := f.Value(a); v != "" {
			p.settings[key] = v
		}
	}
	p.settings["group.protocol"] = strings.ToUpper(f.Value(protocol))
	if p.settings["group.protocol"] == "CONSUMER" {
		set("group.remote.assignor", assignor)
	} else {
		set("partition.assignment.strategy", strategy)
	}
	set("session.timeout.ms", session)
	set("group.id", group)
	set("group.instance.id", instance)
	set(bootstrapServers, server)
	set("auto.offset.reset", reset)
	asked, restore := w.Interruptible(ctx)
	defer restore()
	if err := p.run(asked, w); err != nil {
		w.errorln(err)
		return 1
	}
	return 0
}

// rebalanced is the line of a change of the assignment.
type rebalanced struct {
	event
	Partitions []place `json:"partitions"`
}

// consumed is the line of what a poll brought.
type consumed struct {
	event
	Count      int64         `json:"count"`
	Partitions []consumedOne `json:"partitions"`
}

type consumedOne struct {
	place
	Count     int64 `json:"count"`
	MinOffset int64 `json:"minOffset"`
	MaxOffset int64 `json:"maxOffset"`
}

// received is the line of a record.
type received struct {
	event
	Key   *string `json:"key"`
	Value *string `json:"value"`
	place
	Offset int64 `json:"offset"`
}

// committedLine is the line of a commit.
type committedLine struct {
	event
	Offsets []committedOne `json:"offsets"`
	Error   *string        `json:"error,omitempty"`
	Success bool           `json:"success"`
}

type committedOne struct {
	place
	Offset int64 `json:"offset"`
}

func (p *receivePlan) run(ctx context.Context, w *World) error {
	out := &events{w: w}
	opts, err := p.settings.consumer()
	if err != nil {
		return err
	}
	member, err := p.settings.member()
	if err != nil {
		return err
	}
	opts = append(append(opts, member...), kgo.ConsumeTopics(p.topic), kgo.OnPartitionsAssigned(out.rebalanced("partitions_assigned")),
		kgo.OnPartitionsLost(out.rebalanced("partitions_revoked")))
	revoked := out.rebalanced("partitions_revoked")
	if p.autoCommit {
		opts = append(opts, kgo.AutoCommitMarks(), kgo.OnPartitionsRevoked(func(ctx context.Context, c *kgo.Client, topics map[string][]int32) {
			_ = c.CommitMarkedOffsets(ctx) // as a Java consumer does; who takes over reads it again if it failed
			revoked(ctx, c, topics)
		}))
	} else {
		opts = append(opts, kgo.DisableAutoCommit(), kgo.OnPartitionsRevoked(revoked))
	}
	c, err := open(p.settings, opts...)
	if err != nil {
		return err
	}
	out.plain("startup_complete")
	stop := context.AfterFunc(ctx, func() { out.plain("shutdown_requested") })
	p.receive(ctx, c, out)
	c.Close()
	out.plain("shutdown_complete")
	if stop() {
		out.plain("shutdown_requested")
	}
	return nil
}

// rebalanced prints a change of the assignment.
func (e *events) rebalanced(name string) func(context.Context, *kgo.Client, map[string][]int32) {
	return func(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
		all := []place{}
		for topic, partitions := range topics {
			for _, p := range partitions {
				all = append(all, place{topic, p})
			}
		}
		slices.SortFunc(all, func(a, b place) int {
			return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
		})
		e.print(name, func(at event) any { return rebalanced{at, all} })
	}
}

// receive consumes until there is enough, or the tool is to stop.
func (p *receivePlan) receive(ctx context.Context, c *client, out *events) {
	for total := int64(0); p.most < 0 || total < p.most; {
		f, err := c.next(ctx, -1)
		if err != nil {
			out.w.errorln(err)
			return
		}
		if f.Empty() {
			return
		}
		var lines []consumedOne
		var last []*kgo.Record
		f.EachPartition(func(tp kgo.FetchTopicPartition) {
			records := tp.Records
			if p.most >= 0 {
				records = records[:min(int64(len(records)), p.most-total)]
			}
			if len(records) == 0 {
				return
			}
			at := place{tp.Topic, tp.Partition}
			if p.verbose {
				for _, r := range records {
					out.print("record_data", func(now event) any { return received{now, text(r.Key), text(r.Value), at, r.Offset} })
				}
			}
			end := records[len(records)-1]
			lines, last = append(lines, consumedOne{at, int64(len(records)), records[0].Offset, end.Offset}), append(last, end)
			total += int64(len(records))
		})
		out.print("records_consumed", func(at event) any { return consumed{at, int64(f.NumRecords()), lines} })
		if p.autoCommit {
			c.MarkCommitRecords(last...)
			continue
		}
		out.commit(context.WithoutCancel(ctx), c, last)
	}
}

// commit commits behind records and prints what came of it.
func (e *events) commit(ctx context.Context, c *client, last []*kgo.Record) {
	ctx, cancel := context.WithTimeout(plainCommits(ctx), lasting)
	defer cancel()
	offsets := map[string]map[int32]kgo.EpochOffset{}
	lines := []committedOne{}
	for _, r := range last {
		if offsets[r.Topic] == nil {
			offsets[r.Topic] = map[int32]kgo.EpochOffset{}
		}
		offsets[r.Topic][r.Partition] = kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset + 1}
		lines = append(lines, committedOne{place{r.Topic, r.Partition}, r.Offset + 1})
	}
	var failure *string
	c.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		if err == nil {
			err = commitError(resp)
		}
		if err != nil {
			failure = kmsg.StringPtr(err.Error())
		}
	})
	e.print("offsets_committed", func(at event) any { return committedLine{at, lines, failure, failure == nil} })
}

func commitError(resp *kmsg.OffsetCommitResponse) error {
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := javaCode(p.ErrorCode, nil); err != nil {
				return err
			}
		}
	}
	return nil
}
