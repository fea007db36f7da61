package kafkatools

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// producerPerf is kafka-producer-perf-test.
type producerPerf struct {
	*jopt.Command
	w *World
	f *jopt.Found

	server, topic, records, size, payloadFile, monotonic *jopt.Arg
	delimiter, throughput, oldProps, props, oldConfig    *jopt.Arg
	config, metrics, transaction, duration               *jopt.Arg
	warmup, interval                                     *jopt.Arg
}

func newProducerPerf(w *World) *producerPerf {
	c := jopt.NewCommand("kafka-producer-perf-test", "Measures how fast records are produced.")
	t := &producerPerf{Command: c, w: w}
	t.server = c.Option("The servers to begin with.", "--bootstrap-server")
	t.topic = c.Option("Produce to this topic.", "--topic").Required()
	t.records = c.Option("How many records to produce.", "--num-records").Required()
	t.size = c.Option("Size of a record in bytes.", "--record-size").Int()
	t.payloadFile = c.Option("A file of which each line is a record's value; they are taken at random.", "--payload-file")
	t.monotonic = c.Flag("The value of a record is its number.", "--payload-monotonic")
	t.delimiter = c.Option("What ends a record in the file.", "--payload-delimiter").Default(`\n`)
	t.throughput = c.Option("At most so many records a second; -1 for no limit.", "--throughput").Required()
	t.oldProps = c.Option("The old name of --command-property.", "--producer-props").Many()
	t.props = c.Option("Configurations of the producer, as key=value.", "--command-property").Many()
	t.oldConfig = c.Option("The old name of --command-config.", "--producer.config")
	t.config = c.Option("A file of configurations.", "--command-config")
	t.metrics = c.Flag("Print metrics at the end.", "--print-metrics")
	t.transaction = c.Option("Produce in transactions of this id.", "--transactional-id")
	t.duration = c.Option("How long a transaction lasts, in milliseconds.", "--transaction-duration-ms")
	t.warmup = c.Option("So many records at the beginning are not counted in a second summary.", "--warmup-records").Default("0")
	t.interval = c.Option("Interval of progress lines in milliseconds.", "--reporting-interval").Default("5000")
	c.Exclusive(true, t.size, t.payloadFile, t.monotonic)
	return t
}

// perfPlan is what the command line asks for.
type perfPlan struct {
	settings        settings
	records, warmup int64
	size            int
	payloads        [][]byte
	monotonic       bool
	throughput      float64
	interval        time.Duration
	transaction     time.Duration // 0 for none
}

func producerPerfTest(ctx context.Context, w *World, args []string) int {
	t := newProducerPerf(w)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	var exit int
	var goOn bool
	if t.f, exit, goOn = w.parseCommand(t.Command, args); !goOn {
		return exit
	}
	p, err := t.plan()
	if err != nil {
		return w.argFail("kafka-producer-perf-test", err)
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

func (t *producerPerf) plan() (*perfPlan, error) {
	p := &perfPlan{size: int(t.f.Int(t.size)), monotonic: t.f.Has(t.monotonic)}
	interval, ierr := wholeNumber(t.f, t.interval)
	duration, derr := wholeNumber(t.f, t.duration)
	var rerr, werr, terr error
	p.records, rerr = wholeNumber(t.f, t.records)
	p.warmup, werr = wholeNumber(t.f, t.warmup)
	p.throughput, terr = strconv.ParseFloat(t.f.Value(t.throughput), 64)
	if err := cmp.Or(rerr, werr, ierr, derr, terr); err != nil {
		return nil, err
	}
	p.warmup, p.interval = max(p.warmup, 0), time.Duration(interval)*time.Millisecond
	switch {
	case p.records <= 0:
		return nil, errors.New("--num-records should be greater than zero.")
	case p.warmup >= p.records:
		return nil, errors.New("The value for --warmup-records must be strictly fewer than the number of records in the test, --num-records.")
	case t.f.Has(t.size) && p.size <= 0:
		return nil, errors.New("--record-size should be greater than zero.")
	case !t.f.Has(t.server) && !t.f.Has(t.props) && !t.f.Has(t.oldProps) && !t.f.Has(t.oldConfig) && !t.f.Has(t.config):
		return nil, errors.New("At least one of --bootstrap-server, --command-property, --producer-props, --producer.config or --command-config must be specified.")
	case t.f.Has(t.props) && t.f.Has(t.oldProps):
		return nil, errors.New("--command-property and --producer-props cannot be specified together.")
	case t.f.Has(t.config) && t.f.Has(t.oldConfig):
		return nil, errors.New("--command-config and --producer.config cannot be specified together.")
	case t.f.Has(t.duration) && duration <= 0:
		return nil, errors.New("--transaction-duration-ms should be greater than zero.")
	case interval <= 0:
		return nil, errors.New("--reporting-interval should be greater than zero.")
	}
	if err := t.readPayloads(p); err != nil {
		return nil, err
	}
	return p, t.readSettings(p, time.Duration(duration)*time.Millisecond)
}

func (t *producerPerf) readPayloads(p *perfPlan) error {
	if !t.f.Has(t.payloadFile) {
		return nil
	}
	file := t.f.Value(t.payloadFile)
	full, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	t.w.println("Reading payloads from: " + full)
	text, err := os.ReadFile(file)
	if err != nil || len(text) == 0 {
		return errors.New("File does not exist or empty file provided.")
	}
	delimiter := t.f.Value(t.delimiter)
	if delimiter == `\n` {
		delimiter = "\n"
	}
	p.payloads = bytes.Split(bytes.TrimSuffix(text, []byte(delimiter)), []byte(delimiter))
	t.w.println("Number of records read: " + strconv.Itoa(len(p.payloads)))
	return nil
}

func (t *producerPerf) readSettings(p *perfPlan, duration time.Duration) error {
	props, file := t.f.Values(t.props), t.f.Value(t.config)
	if t.f.Has(t.oldProps) {
		t.w.println("Option --producer-props has been deprecated and will be removed in a future version. Use --command-property instead.")
		props = t.f.Values(t.oldProps)
	}
	if t.f.Has(t.oldConfig) {
		t.w.println("Option --producer.config has been deprecated and will be removed in a future version. Use --command-config instead.")
		file = t.f.Value(t.oldConfig)
	}
	var err error
	if p.settings, err = readSettings(file); err != nil {
		return err
	}
	if err := pairs(p.settings, props); err != nil {
		return err
	}
	p.settings["client.id"] = cmp.Or(p.settings["client.id"], "perf-producer-client")
	if t.f.Has(t.server) {
		p.settings[bootstrapServers] = t.f.Value(t.server)
	}
	if t.f.Has(t.transaction) {
		p.settings["transactional.id"] = t.f.Value(t.transaction)
	}
	if p.settings["transactional.id"] == "" && !t.f.Has(t.duration) {
		return nil
	}
	if p.settings["transactional.id"] == "" {
		p.settings["transactional.id"] = "performance-producer-" + strconv.FormatInt(t.w.Now().UnixNano(), 36)
	}
	p.transaction = cmp.Or(duration, 3*time.Second)
	return nil
}

// perfRecord is a record and the memory of its value. It is used again once it is acknowledged.
type perfRecord struct {
	kgo.Record
	payload []byte
	self    context.Context // holds the record, for who gets the Record back
	steady  bool            // sent after the warm-up
}

// perfRun is a run.
type perfRun struct {
	*perfPlan
	c *client
	w *World

	steadyMu sync.Mutex // and stats' quiet
	stats    *perfStats
	steady   *perfStats // nil before the warm-up is over

	free sync.Pool
	seed uint64
}

func (t *producerPerf) run(ctx context.Context, p *perfPlan) error {
	largest := p.size
	for _, b := range p.payloads {
		largest = max(largest, len(b))
	}
	opts, err := p.settings.producer(t.f.Value(t.topic), max(largest, 20))
	if err != nil {
		return err
	}
	c, err := open(p.settings, opts...)
	if err != nil {
		return err
	}
	defer c.Close()
	if p.warmup > 0 {
		t.w.printf("Warmup first %d records. Steady state results will print after the complete test summary.\n", p.warmup)
		t.w.flush()
	}
	r := &perfRun{perfPlan: p, c: c, w: t.w, seed: 0x9e3779b97f4a7c15, stats: newPerfStats(t.w, p.records, p.interval, false)}
	r.free.New = func() any {
		rec := &perfRecord{payload: make([]byte, p.size)}
		rec.self = context.WithValue(context.Background(), perfKey{}, rec)
		return rec
	}
	if err := r.send(ctx); err != nil {
		return err
	}
	if err := c.Flush(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	r.stats.printTotal()
	if r.steady != nil {
		r.steady.printTotal()
	}
	if t.f.Has(t.metrics) {
		elapsed := t.w.Now().Sub(r.stats.began).Seconds()
		t.w.printMetrics(p.settings["client.id"], []metricRow{
			{"producer-metrics:record-send-rate", float64(r.stats.count) / elapsed},
			{"producer-metrics:record-send-total", float64(r.stats.count)},
			{"producer-metrics:request-latency-avg", float64(r.stats.total) / float64(max(r.stats.count, 1))},
			{"producer-metrics:request-latency-max", float64(r.stats.most)},
		})
	}
	return nil
}

func (r *perfRun) send(ctx context.Context) error {
	hold := throttle{target: r.throughput, began: r.w.Now()}
	var open time.Time
	for i := int64(0); i < r.records && ctx.Err() == nil; i++ {
		now := r.w.Now()
		if r.transaction > 0 && open.IsZero() {
			if err := r.c.BeginTransaction(); err != nil {
				return err
			}
			open = now
		}
		if r.warmup > 0 && i == r.warmup {
			r.steadyMu.Lock()
			r.steady = newPerfStats(r.w, r.records-r.warmup, r.interval, true)
			r.stats.quiet = true
			r.steadyMu.Unlock()
		}
		rec := r.free.Get().(*perfRecord)
		rec.Record = kgo.Record{Value: r.payload(rec, i), Timestamp: now, Context: rec.self}
		rec.steady = r.warmup > 0 && i >= r.warmup
		r.c.Produce(ctx, &rec.Record, r.acked)
		if r.transaction > 0 && now.Sub(open) >= r.transaction {
			if err := r.commit(ctx); err != nil {
				return err
			}
			open = time.Time{}
		}
		hold.hold(ctx, i, now)
	}
	if !open.IsZero() {
		return r.commit(ctx)
	}
	return nil
}

type perfKey struct{}

func (r *perfRun) commit(ctx context.Context) error {
	if err := r.c.Flush(ctx); err != nil {
		return err
	}
	return r.c.EndTransaction(ctx, kgo.TryCommit)
}

// payload is the value of a record: one of the file's, its number, or letters at random.
func (r *perfRun) payload(rec *perfRecord, i int64) []byte {
	switch {
	case r.payloads != nil:
		return r.payloads[r.random()%uint64(len(r.payloads))]
	case r.monotonic:
		return strconv.AppendInt(rec.payload[:0], i, 10)
	}
	for at := 0; at < len(rec.payload); {
		for bits, n := r.random(), 0; n < 12 && at < len(rec.payload); n, at = n+1, at+1 {
			rec.payload[at] = 'A' + byte(bits%26)
			bits /= 26
		}
	}
	return rec.payload
}

// random is xorshift64: the same values in every run.
func (r *perfRun) random() uint64 {
	r.seed ^= r.seed << 13
	r.seed ^= r.seed >> 7
	r.seed ^= r.seed << 17
	return r.seed
}

// acked counts a record that was acknowledged. It is called by one goroutine at a time.
func (r *perfRun) acked(rec *kgo.Record, err error) {
	if err != nil {
		fmt.Fprintln(r.w.Err, err)
		return
	}
	now := r.w.Now()
	latency := int32(now.Sub(rec.Timestamp).Milliseconds())
	p := rec.Context.Value(perfKey{}).(*perfRecord)
	r.steadyMu.Lock()
	r.stats.record(latency, len(rec.Value), now)
	if p.steady {
		r.steady.record(latency, len(rec.Value), now)
	}
	r.steadyMu.Unlock()
	r.free.Put(p)
}

// perfStats are latencies in milliseconds, of all records and of those since the last line.
type perfStats struct {
	w        *World
	began    time.Time
	sampling int64 // every so many records one latency is kept
	kept     []int32
	interval time.Duration
	steady   bool
	quiet    bool

	count, bytes, total int64
	most                int32
	window              struct {
		began               time.Time
		count, bytes, total int64
		most                int32
	}
}

// mostKept bounds the latencies that are kept.
const mostKept = 500_000

func newPerfStats(w *World, records int64, interval time.Duration, steady bool) *perfStats {
	s := &perfStats{w: w, began: w.Now(), sampling: records / min(records, mostKept), interval: interval, steady: steady}
	s.kept = make([]int32, 0, records/s.sampling+1)
	s.window.began = s.began
	return s
}

func (s *perfStats) record(latency int32, size int, now time.Time) {
	if s.count%s.sampling == 0 && len(s.kept) < cap(s.kept) {
		s.kept = append(s.kept, latency)
	}
	s.count++
	s.bytes += int64(size)
	s.total += int64(latency)
	s.most = max(s.most, latency)
	win := &s.window
	win.count++
	win.bytes += int64(size)
	win.total += int64(latency)
	win.most = max(win.most, latency)
	if now.Sub(win.began) < s.interval {
		return
	}
	if s.steady && s.count == win.count {
		s.w.println("In steady state.")
	}
	if !s.quiet {
		rate, mb := rates(win.count, win.bytes, now.Sub(win.began))
		s.w.printf("%d records sent, %s records/sec (%s MB/sec), %s ms avg latency, %s ms max latency.\n", win.count, decimals(rate, 1),
			decimals(mb, 2), decimals(float64(win.total)/float64(win.count), 1), decimals(float64(win.most), 1))
	}
	s.w.flush()
	*win = struct {
		began               time.Time
		count, bytes, total int64
		most                int32
	}{began: now}
}

// rates are records and mebibytes a second; the time counts in whole milliseconds.
func rates(records, size int64, elapsed time.Duration) (float64, float64) {
	ms := float64(elapsed.Milliseconds())
	return 1000 * float64(records) / ms, 1000 * float64(size) / ms / mebibyte
}

func (s *perfStats) printTotal() {
	rate, mb := rates(s.count, s.bytes, s.w.Now().Sub(s.began))
	slices.Sort(s.kept)
	at := func(p float64) int32 {
		if len(s.kept) == 0 {
			return 0
		}
		return s.kept[int(p*float64(len(s.kept)))]
	}
	steady := ""
	if s.steady {
		steady = " steady state"
	}
	s.w.printf("%d%s records sent, %s records/sec (%s MB/sec), %s ms avg latency, %s ms max latency, %d ms 50th, %d ms 95th, %d ms 99th, %d ms 99.9th.\n",
		s.count, steady, decimals(rate, 6), decimals(mb, 2), decimals(float64(s.total)/float64(s.count), 2), decimals(float64(s.most), 2),
		at(0.5), at(0.95), at(0.99), at(0.999))
}
