package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/term"

	"github.com/ottla/ottla/internal/kafkatools/console"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// lineReaders are the classes of --line-reader that there are.
var lineReaders = []string{"org.apache.kafka.tools.LineMessageReader", "kafka.tools.ConsoleProducer$LineMessageReader"}

// producerTool is kafka-console-producer.
type producerTool struct {
	joptTool
	w   *World
	set *jopt.Set

	topic, sync, codec, reader           *jopt.Option
	property, readerProperty, readerFile *jopt.Option
	oldBatch                             *jopt.Option
	// merged are the options that are configurations of the producer.
	merged []mergedOption
}

// mergedOption is an option that sets a key: always when it is given, and with its default when nothing else does.
type mergedOption struct {
	key    string
	option *jopt.Option
	bits   int // of a whole number, 0 for a text
}

func newProducerTool(w *World) *producerTool {
	t := &producerTool{w: w, joptTool: newJoptTool([]string{"producer.config"}, []string{"producer-property"})}
	p := t.Parser
	t.topic = p.Accepts("topic", "REQUIRED: The topic to produce to.").Arg("String: topic")
	t.sync = p.Accepts("sync", "Wait for each record before the next one is read.")
	t.codec = p.Accepts("compression-codec", "none, gzip, snappy, lz4 or zstd; without a value, gzip.").MaybeArg("String: compression-codec")
	t.reader = p.Accepts("line-reader", "The class that reads lines: only Kafka's own is there.").Arg("String: reader_class").Default(lineReaders[0])
	t.property = p.Accepts("property", "The old name of --reader-property.").Arg("String: prop")
	t.readerProperty = p.Accepts("reader-property", "How lines are read, as key=value: parse.key, parse.headers, ignore.error, key.separator, "+
		"headers.delimiter, headers.separator, headers.key.separator, null.marker.").Arg("String: prop")
	t.readerFile = p.Accepts("reader-config", "A file of such properties.").Arg("String: config file")
	add := func(key, name, about, placeholder, fallback string, bits int) *jopt.Option {
		o := p.Accepts(name, about).Arg(placeholder).Default(fallback)
		t.merged = append(t.merged, mergedOption{key, o, bits})
		return o
	}
	add("linger.ms", "timeout", "How long a record waits for more, in milliseconds.", "Long: timeout_ms", "1000", 64)
	add("acks", "request-required-acks", "The acks that are wanted.", "String: request required acks", "-1", 0)
	add("request.timeout.ms", "request-timeout-ms", "How long to wait for an answer, in milliseconds.", "Integer: request timeout ms", "1500", 32)
	add("retries", "message-send-max-retries", "How often a record is tried again.", "Integer", "3", 32)
	add("retry.backoff.ms", "retry-backoff-ms", "The pause before that, in milliseconds.", "Long", "100", 64)
	add("send.buffer.bytes", "socket-buffer-size", "The size of the socket's buffer.", "Integer: size", "102400", 32)
	add("buffer.memory", "max-memory-bytes", "The memory for records that wait.", "Long: total memory in bytes", "33554432", 64)
	add("batch.size", "batch-size", "The size of a batch in bytes.", "Integer: size", "16384", 32)
	t.oldBatch = add("batch.size", "max-partition-memory-bytes", "The old name of --batch-size.", "Integer: memory in bytes per partition", "16384", 32)
	add("metadata.max.age.ms", "metadata-expiry-ms", "How long metadata is good, in milliseconds.", "Long: metadata expiration interval", "300000", 64)
	add("max.block.ms", "max-block-ms", "How long a send may wait, in milliseconds.", "Long: max block on send", "60000", 64)
	return t
}

func consoleProducer(ctx context.Context, w *World, args []string) int {
	t := newProducerTool(w)
	var err error
	if t.set, err = t.Parse(args); err != nil {
		return w.usage(t.Parser, err.Error())
	}
	if exit, done := t.asked(w, args, t.set, "Reads lines from standard input and produces them to a topic."); done {
		return exit
	}
	all, err := t.check()
	if err != nil {
		return w.usage(t.Parser, err.Error())
	}
	ctx, restore := w.Interruptible(ctx)
	defer restore()
	if err := t.produce(ctx, all); err != nil {
		w.errorln(err)
		return 1
	}
	if ctx.Err() != nil {
		return interrupted
	}
	return 0
}

// check refuses options that do not go together and returns the settings.
func (t *producerTool) check() (settings, error) {
	s := t.set
	if err := s.CheckRequired(t.topic); err != nil {
		return nil, err
	}
	for _, pair := range [][]*jopt.Option{t.configs, t.properties, {t.readerProperty, t.property}} {
		if s.Count(pair...) > 1 {
			return nil, jopt.Error(fmt.Sprintf("Options --%s and --%s cannot be specified together.", optionName(pair[0]), optionName(pair[1])))
		}
	}
	all, err := t.settings(s)
	if err != nil {
		return nil, err
	}
	for _, pair := range [][]*jopt.Option{t.properties, t.configs, {t.readerProperty, t.property}} {
		if s.Has(pair[1]) {
			t.w.printf("Warning: --%s is deprecated and will be removed in a future version. Use --%s instead.\n", optionName(pair[1]), optionName(pair[0]))
		}
	}
	if s.Has(t.oldBatch) {
		t.w.println("Warning: --max-partition-memory-bytes is deprecated and will be removed in Apache Kafka 5.0. Use --batch-size instead.")
	}
	return all, checkServers(all[bootstrapServers])
}

// checkServers wants every address to have a port.
func checkServers(servers string) error {
	if strings.TrimSpace(servers) == "" {
		return jopt.Error("Error while validating the bootstrap address\n")
	}
	for address := range strings.SplitSeq(servers, ",") {
		if _, port, err := net.SplitHostPort(strings.TrimSpace(address)); err != nil || port == "" {
			return jopt.Error("Please provide valid host:port like host1:9091,host2:9092\n")
		}
	}
	return nil
}

// merge puts the options that are configurations over the settings.
func (t *producerTool) merge(all settings) error {
	all["compression.type"] = "none"
	if t.set.Has(t.codec) {
		codec, err := t.set.Value(t.codec)
		if err != nil {
			return err
		}
		if codec == "" {
			codec = "gzip"
		}
		all["compression.type"] = codec
	}
	if all["client.id"] == "" {
		all["client.id"] = "console-producer"
	}
	for _, m := range t.merged {
		if _, there := all[m.key]; there && !t.set.Has(m.option) {
			continue
		}
		if m.bits > 0 {
			if _, err := t.set.Int(m.option, m.bits); err != nil {
				return err
			}
		}
		v, err := t.set.Value(m.option)
		if err != nil {
			return err
		}
		all[m.key] = v
	}
	return nil
}

func (t *producerTool) readerSettings(topic string) (settings, error) {
	file, err := t.set.Value(t.readerFile)
	if err != nil {
		return nil, err
	}
	props, err := readSettings(file)
	if err != nil {
		return nil, err
	}
	props["topic"] = topic
	props.set(t.set.Values(t.readerProperty))
	if t.set.Has(t.property) {
		props.set(t.set.Values(t.property))
	}
	return props, nil
}

func (t *producerTool) produce(ctx context.Context, all settings) error {
	if err := t.merge(all); err != nil {
		return err
	}
	topic, err := t.set.Value(t.topic)
	if err != nil {
		return err
	}
	class, err := t.set.Value(t.reader)
	if err != nil {
		return err
	}
	if class != lineReaders[0] && class != lineReaders[1] {
		return fmt.Errorf("--line-reader %s: %w: only %s is there", class, console.ErrClass, lineReaders[0])
	}
	props, err := t.readerSettings(topic)
	if err != nil {
		return err
	}
	lines, err := console.NewLineReader(t.w.In, props)
	if err != nil {
		return err
	}
	opts, err := all.producer(topic, 0)
	if err != nil {
		return err
	}
	c, err := open(all, append(opts, sayUnreached(t.w))...)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.awaitTopic(ctx, all, topic); err != nil {
		return err
	}
	// Reading can't be interrupted: who stops the tool leaves it behind, once what was read is sent.
	ended := make(chan error, 1)
	go func() { ended <- t.loop(context.WithoutCancel(ctx), c, lines) }()
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	select {
	case err = <-ended:
	case <-ctx.Done():
		defer time.AfterFunc(lastWords, cancel).Stop()
	}
	if ferr := c.Flush(last); ferr != nil {
		t.w.errorln(ferr)
	}
	return err
}

// loop sends what is read. Without --sync a record that failed is told and nothing more.
func (t *producerTool) loop(ctx context.Context, c *client, lines *console.LineReader) error {
	prompt := t.w.isTerminal()
	sync := t.set.Has(t.sync)
	told := func(_ *kgo.Record, err error) {
		if err != nil {
			fmt.Fprintln(t.w.Err, "Error when sending a record:", err)
		}
	}
	for {
		if prompt {
			t.w.printf(">")
			t.w.flush()
		}
		r, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !sync {
			c.Produce(ctx, r, told)
			continue
		}
		if err := c.ProduceSync(ctx, r).FirstErr(); err != nil {
			return err
		}
	}
}

// isTerminal reports whether a person sits at both ends.
func (w *World) isTerminal() bool {
	in, ok := w.In.(*os.File)
	return ok && term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
}
