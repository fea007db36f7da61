package kafkatools

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/kafkatools/java"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// consumerPerf is kafka-consumer-perf-test.
type consumerPerf struct {
	joptTool
	w   *World
	set *jopt.Set

	topic, include, group, fetchSize, fromLatest   *jopt.Option
	socketBuffer, metrics, detailed, timeout       *jopt.Option
	messages, records, interval, format, hideTitle *jopt.Option
}

func newConsumerPerf(w *World) *consumerPerf {
	t := &consumerPerf{w: w, joptTool: newJoptTool([]string{"consumer.config"}, nil)}
	p := t.Parser
	t.topic = p.Accepts("topic", "The topic to consume.").Arg("String: topic")
	t.include = p.Accepts("include", "A regular expression of the topics to consume.").Arg("String: Java regex (String)")
	t.group = p.Accepts("group", "The group to consume in.").Arg("String: gid").Default("perf-consumer-" + strconv.FormatInt(w.Now().UnixNano()%100_000, 10))
	t.fetchSize = p.Accepts("fetch-size", "Bytes of a partition in a fetch.").Arg("Integer: size").Default("1048576")
	t.fromLatest = p.Accepts("from-latest", "Begin with the newest record where nothing is committed.")
	t.socketBuffer = p.Accepts("socket-buffer-size", "The size of the socket's buffer.").Arg("Integer: size").Default("2097152")
	t.metrics = p.Accepts("print-metrics", "Print metrics at the end.")
	t.detailed = p.Accepts("show-detailed-stats", "Print a line at each interval.")
	t.timeout = p.Accepts("timeout", "The longest time between records, in milliseconds.").MaybeArg("Long: milliseconds").Default("10000")
	t.messages = p.Accepts("messages", "The old name of --num-records.").Arg("Long: count")
	t.records = p.Accepts("num-records", "REQUIRED: How many records to consume.").Arg("Long: count")
	t.interval = p.Accepts("reporting-interval", "Interval of the lines in milliseconds.").Arg("Long: interval_ms").Default("5000")
	t.format = p.Accepts("date-format", "How times are written: a pattern of java.text.SimpleDateFormat.").Arg("String: date format").Default("yyyy-MM-dd HH:mm:ss:SSS")
	t.hideTitle = p.Accepts("hide-header", "Leave out the header.")
	return t
}

// consumePlan is what the command line asks for.
type consumePlan struct {
	settings          settings
	topic             string
	regex             bool
	records           int64
	timeout, interval time.Duration
	format            string
	detailed          bool
}

func consumerPerfTest(ctx context.Context, w *World, args []string) int {
	t := newConsumerPerf(w)
	var err error
	if t.set, err = t.Parse(args); err != nil {
		return w.usage(t.Parser, err.Error())
	}
	if exit, done := t.asked(w, args, t.set, "Measures how fast records are consumed."); done {
		return exit
	}
	p, err := t.plan()
	if err != nil {
		return w.usage(t.Parser, err.Error())
	}
	asked, restore := w.Interruptible(ctx)
	defer restore()
	if err := t.run(asked, p); err != nil {
		w.errorln(err)
		return 1
	}
	if asked.Err() != nil {
		return interrupted
	}
	return 0
}

func (t *consumerPerf) plan() (*consumePlan, error) {
	s := t.set
	all, err := t.settings(s)
	if err != nil {
		return nil, err
	}
	if all[bootstrapServers] == "" {
		return nil, s.CheckRequired(t.server)
	}
	if err := cmp.Or(s.CheckOneOf(t.topic, t.include), s.CheckOneOf(t.messages, t.records), s.CheckInvalid(t.configs[1], t.configs[0])); err != nil {
		return nil, err
	}
	if s.Has(t.messages) {
		t.w.println("Warning: --messages is deprecated. Use --num-records instead.")
	}
	if s.Has(t.configs[1]) {
		t.w.println("Warning: --consumer.config is deprecated. Use --command-config instead.")
	}
	p := &consumePlan{settings: all, regex: s.Has(t.include), detailed: s.Has(t.detailed)}
	name, count := t.topic, t.records
	if p.regex {
		name = t.include
	}
	if s.Has(t.messages) {
		count = t.messages
	}
	var errs [8]error
	var timeout, interval int64
	p.topic, errs[0] = s.Value(name)
	p.records, errs[1] = s.Int(count, 64)
	timeout, errs[2] = s.Int(t.timeout, 64)
	interval, errs[3] = s.Int(t.interval, 64)
	p.format, errs[4] = s.Value(t.format)
	all["group.id"], errs[5] = s.Value(t.group)
	all["max.partition.fetch.bytes"], errs[6] = s.Value(t.fetchSize)
	_, errs[7] = s.Int(t.fetchSize, 32)
	p.timeout, p.interval = time.Duration(timeout)*time.Millisecond, time.Duration(interval)*time.Millisecond
	all["auto.offset.reset"] = "earliest"
	if s.Has(t.fromLatest) {
		all["auto.offset.reset"] = "latest"
	}
	all["client.id"] = cmp.Or(all["client.id"], "perf-consumer-client")
	if err := errors.Join(errs[:]...); err != nil || interval > 0 {
		return p, err
	}
	return nil, jopt.Error("Reporting interval must be greater than 0.")
}

// consumeRun counts what is consumed.
type consumeRun struct {
	*consumePlan
	w      *World
	joined atomic.Int64 // milliseconds that joining the group took, in all
	began  time.Time

	records, bytes int64
	report         struct {
		at                     time.Time
		records, bytes, joined int64
	}
}

func (t *consumerPerf) run(ctx context.Context, p *consumePlan) error {
	r := &consumeRun{consumePlan: p, w: t.w, began: t.w.Now()}
	opts, err := r.options()
	if err != nil {
		return err
	}
	if !t.set.Has(t.hideTitle) {
		r.printTitle()
	}
	r.began = t.w.Now()
	c, err := open(p.settings, opts...)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := r.consume(ctx, c); err != nil {
		return err
	}
	end := t.w.Now()
	_ = c.CommitUncommittedOffsets(plainCommits(context.WithoutCancel(ctx))) // as a Java consumer does when it closes
	if !p.detailed {
		r.printTotal(end)
	}
	if t.set.Has(t.metrics) {
		elapsed := end.Sub(r.began).Seconds()
		t.w.printMetrics(p.settings["client.id"], []metricRow{
			{"consumer-fetch-manager-metrics:bytes-consumed-rate", float64(r.bytes) / elapsed},
			{"consumer-fetch-manager-metrics:bytes-consumed-total", float64(r.bytes)},
			{"consumer-fetch-manager-metrics:records-consumed-rate", float64(r.records) / elapsed},
			{"consumer-fetch-manager-metrics:records-consumed-total", float64(r.records)},
		})
	}
	return nil
}

func (r *consumeRun) options() ([]kgo.Opt, error) {
	opts, err := r.settings.consumer()
	if err != nil {
		return nil, err
	}
	member, err := r.settings.member()
	if err != nil {
		return nil, err
	}
	opts = append(append(opts, member...), kgo.DisableFetchCRCValidation(),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) {
			r.joined.CompareAndSwap(0, max(1, r.w.Now().Sub(r.began).Milliseconds()))
		}))
	if r.regex {
		return append(opts, kgo.ConsumeRegex(), kgo.ConsumeTopics("^(?:"+r.topic+")$")), nil
	}
	return append(opts, kgo.ConsumeTopics(r.topic)), nil
}

const fetchColumns = ", rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec"

func (r *consumeRun) printTitle() {
	if r.detailed {
		r.w.println("time, threadId, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec" + fetchColumns)
	} else {
		r.w.println("start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec" + fetchColumns)
	}
	r.w.flush()
}

// consume reads until there is enough, or nothing came for too long.
func (r *consumeRun) consume(ctx context.Context, c *client) error {
	r.report.at = r.began
	for r.records < r.consumePlan.records {
		f, err := c.next(ctx, r.timeout)
		if err != nil {
			return err
		}
		if f.Empty() {
			r.w.printf("WARNING: Exiting before consuming the expected number of records: timeout (%d ms) exceeded. "+
				"You can use the --timeout option to increase the timeout.\n", r.timeout.Milliseconds())
			return nil
		}
		f.EachPartition(func(p kgo.FetchTopicPartition) {
			r.records += int64(len(p.Records))
			for _, rec := range p.Records {
				r.bytes += int64(len(rec.Key) + len(rec.Value))
			}
		})
		if now := r.w.Now(); now.Sub(r.report.at) >= r.interval {
			r.printProgress(now)
		}
	}
	return nil
}

func (r *consumeRun) printTotal(end time.Time) {
	ms := end.UnixMilli() - r.began.UnixMilli()
	elapsed, mb := float64(ms)/1000, float64(r.bytes)/mebibyte
	joined := r.joined.Load()
	fetching := float64(ms-joined) / 1000
	n := float64(r.records)
	r.w.printf("%s, %s, %s, %s, %d, %s, %d, %d, %s, %s\n", java.FormatTime(r.began, r.format), java.FormatTime(end, r.format),
		decimals(mb, 4), decimals(mb/elapsed, 4), r.records, decimals(n/elapsed, 4), joined, ms-joined,
		decimals(mb/fetching, 4), decimals(n/fetching, 4))
}

// printProgress prints what came since the last line, if lines are wanted.
func (r *consumeRun) printProgress(now time.Time) {
	ms := now.UnixMilli() - r.report.at.UnixMilli()
	joined := r.joined.Load() - r.report.joined
	if r.detailed {
		mb, n := float64(r.bytes-r.report.bytes)/mebibyte, float64(r.records-r.report.records)
		fetching := ms - joined
		var fetchMB, fetchN float64
		if fetching > 0 {
			fetchMB, fetchN = 1000*mb/float64(fetching), 1000*n/float64(fetching)
		}
		r.w.printf("%s, %d, %s, %s, %d, %s, %d, %d, %s, %s\n", java.FormatTime(now, r.format), 0, decimals(float64(r.bytes)/mebibyte, 4),
			decimals(1000*mb/float64(ms), 4), r.records, decimals(n/float64(ms)*1000, 4), joined, fetching, decimals(fetchMB, 4), decimals(fetchN, 4))
		r.w.flush()
	}
	r.report.at, r.report.records, r.report.bytes, r.report.joined = now, r.records, r.bytes, r.joined.Load()
}
