package kafkatools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/kafkatools/java"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// latencyTool is kafka-e2e-latency.
type latencyTool struct {
	joptTool
	w   *World
	set *jopt.Set

	topic, records, acks, size, keySize *jopt.Option
	headers, headerKeySize, headerSize  *jopt.Option
}

func newLatencyTool(w *World) *latencyTool {
	t := &latencyTool{w: w, joptTool: newJoptTool(nil, nil)}
	p := t.Parser
	t.topic = p.Accepts("topic", "REQUIRED: The topic to use; it is made when it is not there.").Arg("String: topic-name")
	t.records = p.Accepts("num-records", "REQUIRED: How many records to send.").Arg("Integer: count")
	t.acks = p.Accepts("producer-acks", "REQUIRED: 1 or all.").Arg("String: producer-acks")
	t.size = p.Accepts("record-size", "REQUIRED: The size of a value in bytes.").Arg("Integer: bytes")
	t.keySize = p.Accepts("record-key-size", "The size of a key in bytes.").MaybeArg("Integer: bytes").Default("0")
	t.headers = p.Accepts("num-headers", "How many headers a record has.").MaybeArg("Integer: count").Default("0")
	t.headerKeySize = p.Accepts("record-header-key-size", "The size of a header's key in bytes.").MaybeArg("Integer: bytes").Default("0")
	t.headerSize = p.Accepts("record-header-size", "The size of a header's value in bytes, -1 for null.").MaybeArg("Integer: bytes").Default("0")
	return t
}

// positional are the options that the arguments of older releases stand for.
var positional = []string{"--bootstrap-server", "--topic", "--num-records", "--producer-acks", "--record-size", "--command-config"}

// named gives arguments without names theirs.
func named(w *World, args []string) ([]string, error) {
	required := positional[:5]
	switch {
	case len(args) == 0, slices.ContainsFunc(args, func(a string) bool { return slices.Contains(required, a) }):
		return args, nil
	case len(args) != 5 && len(args) != 6:
		return nil, fmt.Errorf("Invalid number of arguments. Expected 5 or 6 positional arguments, but got %d. "+
			"Usage: bootstrap-server topic num-records producer-acks record-size [optional] command-config", len(args))
	}
	var all []string
	for i, a := range args {
		all = append(all, positional[i], a)
	}
	w.println("WARNING: Positional argument usage is deprecated and will be removed in Apache Kafka 5.0. Please use named arguments instead: " +
		"--bootstrap-server, --topic, --num-records, --producer-acks, --record-size, --command-config")
	return all, nil
}

// latencyPlan is what the command line asks for.
type latencyPlan struct {
	settings                  settings
	topic                     string
	records                   int
	size, keySize, headers    int
	headerKeySize, headerSize int
}

func e2eLatency(ctx context.Context, w *World, args []string) int {
	args, err := named(w, args)
	if err != nil {
		w.errorln(err)
		return 1
	}
	t := newLatencyTool(w)
	if t.set, err = t.Parse(args); err != nil {
		return w.usage(t.Parser, err.Error())
	}
	if exit, done := t.asked(w, args, t.set, "Measures how long a record takes from its producer to a consumer."); done {
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
	return 0
}

func (t *latencyTool) plan() (*latencyPlan, error) {
	s := t.set
	all, err := t.settings(s)
	if err != nil {
		return nil, err
	}
	if all[bootstrapServers] == "" {
		return nil, s.CheckRequired(t.server)
	}
	if err := s.CheckRequired(t.topic, t.records, t.acks, t.size); err != nil {
		return nil, err
	}
	p := &latencyPlan{settings: all}
	if p.topic, err = s.Value(t.topic); err != nil {
		return nil, err
	}
	if all["acks"], err = s.Value(t.acks); err != nil {
		return nil, err
	}
	if all["acks"] != "1" && all["acks"] != "all" {
		return nil, jopt.Error("Invalid value for --producer-acks. Latency testing requires synchronous acknowledgement. Please use '1' or 'all'.")
	}
	for _, n := range []struct {
		to     *int
		option *jopt.Option
		low    int64
		what   string
	}{
		{&p.records, t.records, 1, "a positive integer."}, {&p.size, t.size, 0, "a non-negative integer."},
		{&p.keySize, t.keySize, 0, "a non-negative integer."}, {&p.headerKeySize, t.headerKeySize, 0, "a non-negative integer."},
		{&p.headerSize, t.headerSize, -1, "a non-negative integer or -1 for null header value."}, {&p.headers, t.headers, 0, "a non-negative integer."},
	} {
		v, err := s.Int(n.option, 32)
		switch {
		case err != nil:
			return nil, err
		case v < n.low:
			return nil, jopt.Error("Value for --" + optionName(n.option) + " must be " + n.what)
		}
		*n.to = int(v)
	}
	return p, nil
}

func (t *latencyTool) run(ctx context.Context, p *latencyPlan) error {
	produces := maps.Clone(p.settings)
	produces["linger.ms"] = "0"
	opts, err := produces.producer(p.topic, p.size+p.keySize+p.headers*(p.headerKeySize+max(p.headerSize, 0)+10))
	if err != nil {
		return err
	}
	producer, err := open(produces, opts...)
	if err != nil {
		return err
	}
	defer producer.Close()
	from, err := t.ends(ctx, producer, p.topic)
	if err != nil {
		return err
	}
	if opts, err = p.settings.consumer(); err != nil {
		return err
	}
	consumer, err := open(p.settings, append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{p.topic: from}))...)
	if err != nil {
		return err
	}
	defer consumer.Close()
	return t.measure(ctx, p, producer, consumer)
}

// ends are the ends of the partitions, of a topic that is made when it is not there.
func (t *latencyTool) ends(ctx context.Context, c *client, topic string) (map[int32]kgo.Offset, error) {
	partitions, _, err := c.partitionsOfTopics(ctx, []string{topic})
	if isCode(err, kerr.UnknownTopicOrPartition) {
		t.w.printf("Topic %q does not exist. Will create topic with 1 partition(s) and replication factor = 1\n", topic)
		if err = c.createTopic(ctx, topic); err != nil {
			t.w.printf("Creation of topic %s failed\n", topic)
			return nil, err
		}
		return map[int32]kgo.Offset{0: kgo.NewOffset().At(0)}, nil
	}
	if err != nil {
		return nil, err
	}
	offsets, err := c.everyOffset(ctx, partitions, latest)
	from := map[int32]kgo.Offset{}
	for tp, o := range offsets {
		from[tp.Partition] = kgo.NewOffset().At(o)
	}
	return from, err
}

// arrival bounds how long a record may take.
const arrival = 60 * time.Second

// measure sends a record, waits for it, and so on.
func (t *latencyTool) measure(ctx context.Context, p *latencyPlan, producer, consumer *client) error {
	random := rand.New(rand.NewPCG(0, 0))
	var sum float64
	latencies := make([]int64, p.records)
	for i := range latencies {
		r := p.record(random)
		began := t.w.Now()
		if err := producer.ProduceSync(ctx, r).FirstErr(); err != nil {
			return err
		}
		f, err := consumer.next(ctx, arrival)
		elapsed := t.w.Now().Sub(began)
		if err != nil {
			return err
		}
		if err := same(r, f.Records()); err != nil {
			return err
		}
		if i%1000 == 0 {
			t.w.println(strconv.Itoa(i) + "\t" + java.Double(float64(elapsed.Nanoseconds())/1000/1000))
			t.w.flush()
		}
		sum += float64(elapsed.Nanoseconds())
		latencies[i] = elapsed.Milliseconds()
	}
	slices.Sort(latencies)
	at := func(q float64) int64 { return latencies[int(float64(len(latencies))*q)] }
	t.w.printf("Avg latency: %s ms\n", decimals(sum/float64(p.records)/1000/1000, 4))
	t.w.printf("Percentiles: 50th = %d, 99th = %d, 99.9th = %d\n", at(0.5), at(0.99), at(0.999))
	return nil
}

func (p *latencyPlan) record(random *rand.Rand) *kgo.Record {
	letters := func(n int) []byte { return bytes.Repeat([]byte{'A' + byte(random.IntN(26))}, n) }
	r := &kgo.Record{Key: letters(p.keySize), Value: letters(p.size)}
	for range p.headers {
		h := kgo.RecordHeader{Key: string(letters(p.headerKeySize))}
		if p.headerSize >= 0 {
			h.Value = letters(p.headerSize)
		}
		r.Headers = append(r.Headers, h)
	}
	return r
}

// same wants what was read to be what was sent, and no more.
func same(sent *kgo.Record, read []*kgo.Record) error {
	switch {
	case len(read) == 0:
		return fmt.Errorf("poll() timed out before finding a result (timeout:[%dms])", arrival.Milliseconds())
	case !bytes.Equal(sent.Value, read[0].Value):
		return fmt.Errorf("The message value read [%s] did not match the message value sent [%s]", read[0].Value, sent.Value)
	case !bytes.Equal(sent.Key, read[0].Key):
		return fmt.Errorf("The message key read [%s] did not match the message key sent [%s]", read[0].Key, sent.Key)
	case len(sent.Headers) != len(read[0].Headers):
		return errors.New("Header count mismatch between sent and received messages")
	case len(read) != 1:
		return fmt.Errorf("Only one result was expected during this test. We found [%d]", len(read))
	}
	for i, h := range sent.Headers {
		if got := read[0].Headers[i]; got.Key != h.Key || !bytes.Equal(got.Value, h.Value) {
			return fmt.Errorf("The message header read [%s:%s] did not match the message header sent [%s:%s]", got.Key, got.Value, h.Key, h.Value)
		}
	}
	return nil
}
