package kafkatools

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/kafkatools/console"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// consumerTool is kafka-console-consumer.
type consumerTool struct {
	joptTool
	w   *World
	set *jopt.Set

	topic, include, partition, offset                     *jopt.Option
	formatter, property, formatterProperty, formatterFile *jopt.Option
	fromBeginning, maxMessages, timeout, skip, events     *jopt.Option
	keyDeserializer, valueDeserializer, isolation, group  *jopt.Option
}

func newConsumerTool(w *World) *consumerTool {
	t := &consumerTool{w: w, joptTool: newJoptTool([]string{"consumer.config"}, []string{"consumer-property"})}
	p := t.Parser
	t.topic = p.Accepts("topic", "The topic to consume.").Arg("String: topic")
	t.include = p.Accepts("include", "A regular expression of the topics to consume.").Arg("String: Java regex (String)")
	t.partition = p.Accepts("partition", "The partition to consume, from its end unless --offset says otherwise.").Arg("Integer: partition")
	t.offset = p.Accepts("offset", "The offset to begin with: a number, earliest or latest.").Arg("String: consume offset").Default("latest")
	t.formatter = p.Accepts("formatter", "The class that formats records.").Arg("String: class").Default(console.DefaultFormatter)
	t.property = p.Accepts("property", "The old name of --formatter-property.").Arg("String: prop")
	t.formatterProperty = p.Accepts("formatter-property", "How records are formatted, as key=value: print.timestamp, print.key, print.offset, print.epoch, "+
		"print.partition, print.headers, print.value, key.separator, line.separator, headers.separator, null.literal, key.deserializer, "+
		"value.deserializer, headers.deserializer.").Arg("String: prop")
	t.formatterFile = p.Accepts("formatter-config", "A file of such properties.").Arg("String: config file")
	t.fromBeginning = p.Accepts("from-beginning", "Begin with the first record where nothing is committed.")
	t.maxMessages = p.Accepts("max-messages", "End after so many records.").Arg("Integer: num_messages")
	t.timeout = p.Accepts("timeout-ms", "End when no record comes for so long, in milliseconds.").Arg("Long: timeout_ms")
	t.skip = p.Accepts("skip-message-on-error", "Go on with the next record after one that can't be formatted.")
	t.keyDeserializer = p.Accepts("key-deserializer", "The class that makes text of keys.").Arg("String: deserializer for keys")
	t.valueDeserializer = p.Accepts("value-deserializer", "The class that makes text of values.").Arg("String: deserializer for values")
	t.events = p.Accepts("enable-systest-events", "Print what happens to the consumer, for Kafka's system tests.")
	t.isolation = p.Accepts("isolation-level", "read_committed leaves out records of transactions that are not.").Arg("String").Default("read_uncommitted")
	t.group = p.Accepts("group", "The group to consume in.").Arg("String: consumer group id")
	return t
}

// reading is what the command line of a console consumer asks for.
type reading struct {
	settings  settings
	topic     string
	regex     bool
	partition int32 // -1 for all
	offset    int64 // of the partition; earliest and latest too
	most      int64 // records, -1 for no end
	timeout   time.Duration
	format    console.Formatter
	grouped   bool
}

func consoleConsumer(ctx context.Context, w *World, args []string) int {
	t := newConsumerTool(w)
	var err error
	if t.set, err = t.Parse(args); err != nil {
		return w.usage(t.Parser, err.Error())
	}
	if exit, done := t.asked(w, args, t.set, "Consumes records and prints them."); done {
		return exit
	}
	r, err := t.read()
	if err != nil {
		return w.usage(t.Parser, err.Error())
	}
	asked, restore := w.Interruptible(ctx)
	defer restore()
	done, err := t.consume(asked, r)
	w.flush()
	if err != nil {
		w.errorln(err)
	}
	w.errorln("Processed a total of " + strconv.FormatInt(done, 10) + " messages")
	switch {
	case err != nil:
		return 1
	case asked.Err() == nil:
		return 0
	}
	if t.set.Has(t.events) {
		w.println("shutdown_complete")
	}
	return interrupted
}

// read makes sense of the command line.
func (t *consumerTool) read() (*reading, error) {
	s := t.set
	if err := t.checkTopics(); err != nil {
		return nil, err
	}
	if s.Count(t.properties...) > 1 {
		return nil, jopt.Error("Options --consumer-property and --command-property cannot be specified together.")
	}
	if s.Count(t.configs...) > 1 {
		return nil, jopt.Error("Options --consumer.config and --command-config cannot be specified together.")
	}
	for _, pair := range [][]*jopt.Option{t.properties, t.configs} {
		if s.Has(pair[1]) {
			t.w.printf("Option --%s is deprecated and will be removed in a future version. Use --%s instead.\n", optionName(pair[1]), optionName(pair[0]))
		}
	}
	r := &reading{partition: -1, most: -1, timeout: -1}
	var err error
	if r.settings, err = t.settings(s); err != nil {
		return nil, err
	}
	if r.settings[bootstrapServers] == "" {
		return nil, s.CheckRequired(t.server)
	}
	return r, errors.Join(t.readGroup(r), t.readPlace(r), t.readFormatter(r))
}

func (t *consumerTool) checkTopics() error {
	s := t.set
	if err := s.CheckOneOf(t.topic, t.include); err != nil {
		return err
	}
	switch {
	case s.Has(t.partition) && !s.Has(t.topic):
		return jopt.Error("The topic is required when partition is specified.")
	case s.Has(t.partition) && s.Has(t.fromBeginning) && s.Has(t.offset):
		return jopt.Error("Options from-beginning and offset cannot be specified together.")
	case !s.Has(t.partition) && s.Has(t.offset):
		return jopt.Error("The partition is required when offset is specified.")
	}
	return nil
}

// readGroup finds the group, which may stand in the settings too, and what is reset to where it has nothing committed.
func (t *consumerTool) readGroup(r *reading) error {
	given, err := t.set.Value(t.group)
	if err != nil {
		return err
	}
	configured, inSettings := r.settings["group.id"]
	switch {
	case t.set.Has(t.group) && inSettings && given != configured:
		return jopt.Error("The group ids provided in different places do not match. Detected group ids: '" + given + "', '" + configured + "'")
	case t.set.Has(t.group):
		r.settings["group.id"] = given
	}
	r.grouped = t.set.Has(t.group) || inSettings
	if r.grouped && t.set.Has(t.partition) {
		return jopt.Error("Options group and partition cannot be specified together.")
	}
	reset, there := r.settings["auto.offset.reset"]
	switch {
	case there && t.set.Has(t.fromBeginning) && reset != "earliest":
		return jopt.Error("Can't simultaneously specify --from-beginning and 'auto.offset.reset=" + reset + "', please remove one option")
	case there:
	case t.set.Has(t.fromBeginning):
		r.settings["auto.offset.reset"] = "earliest"
	default:
		r.settings["auto.offset.reset"] = "latest"
	}
	r.settings["client.id"] = cmp.Or(r.settings["client.id"], "console-consumer")
	if _, there := r.settings["isolation.level"]; !there || t.set.Has(t.isolation) {
		r.settings["isolation.level"], err = t.set.Value(t.isolation)
	}
	return err
}

// readPlace finds the topic, where to begin, and when to end.
func (t *consumerTool) readPlace(r *reading) error {
	s := t.set
	var err error
	name := t.topic
	if r.regex = s.Has(t.include); r.regex {
		name = t.include
	}
	if r.topic, err = s.Value(name); err != nil {
		return err
	}
	if s.Has(t.partition) {
		n, err := s.Int(t.partition, 32)
		if err != nil {
			return err
		}
		r.partition = int32(n)
	}
	if s.Has(t.maxMessages) {
		if r.most, err = s.Int(t.maxMessages, 32); err != nil {
			return err
		}
	}
	if s.Has(t.timeout) {
		ms, err := s.Int(t.timeout, 64)
		if err != nil {
			return err
		}
		r.timeout = time.Duration(min(ms, 1<<40)) * time.Millisecond
	}
	r.offset = latest
	switch {
	case s.Has(t.offset):
		return t.readOffset(r)
	case s.Has(t.fromBeginning):
		r.offset = earliest
	}
	return nil
}

func (t *consumerTool) readOffset(r *reading) error {
	text, err := t.set.Value(t.offset)
	if err != nil {
		return err
	}
	switch strings.ToLower(text) {
	case "earliest":
		r.offset = earliest
		return nil
	case "latest":
		return nil
	}
	if r.offset, err = strconv.ParseInt(text, 10, 64); err != nil || r.offset < 0 {
		return jopt.Error("The provided offset value '" + text + "' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.")
	}
	return nil
}

func (t *consumerTool) readFormatter(r *reading) error {
	s := t.set
	if s.Count(t.property, t.formatterProperty) > 1 {
		return jopt.Error("Options --property and --formatter-property cannot be specified together.")
	}
	class, err := s.Value(t.formatter)
	if err != nil {
		return err
	}
	file, err := s.Value(t.formatterFile)
	if err != nil {
		return err
	}
	props, err := readSettings(file)
	if err != nil {
		return err
	}
	for key, o := range map[string]*jopt.Option{"key.deserializer": t.keyDeserializer, "value.deserializer": t.valueDeserializer} {
		if v, err := s.Value(o); err != nil {
			return err
		} else if v != "" {
			props[key] = v
		}
	}
	props.set(s.Values(t.formatterProperty))
	var warnings []string
	if s.Has(t.property) {
		props.set(s.Values(t.property))
	}
	r.format, warnings, err = console.NewFormatter(class, props)
	if err == nil && s.Has(t.property) {
		t.w.println("Option --property is deprecated and will be removed in a future version. Use --formatter-property instead.")
	}
	for _, w := range warnings {
		t.w.errorln(w)
	}
	return err
}

// options are those of the client.
func (r *reading) options() ([]kgo.Opt, error) {
	opts, err := r.settings.consumer()
	if err != nil {
		return nil, err
	}
	if r.partition >= 0 {
		offset := kgo.NewOffset().At(r.offset)
		return append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.topic: {r.partition: offset}})), nil
	}
	if r.regex {
		opts = append(opts, kgo.ConsumeRegex(), kgo.ConsumeTopics("^(?:"+r.topic+")$"))
	} else {
		opts = append(opts, kgo.ConsumeTopics(r.topic))
	}
	if !r.grouped {
		return opts, nil
	}
	member, err := r.settings.member()
	if err != nil {
		return nil, err
	}
	return append(opts, member...), nil
}

// consume prints records until there are enough, none comes for too long, or the user has seen enough.
func (t *consumerTool) consume(ctx context.Context, r *reading) (done int64, err error) {
	opts, err := r.options()
	if err != nil {
		return 0, err
	}
	var own *commits // nil commits nothing
	if r.grouped && r.settings.or("enable.auto.commit", "true") == "true" {
		if own, err = newCommits(r.settings); err != nil {
			return 0, err
		}
		opts = append(opts, own.options()...)
	} else if r.grouped {
		opts = append(opts, kgo.DisableAutoCommit())
	}
	c, err := open(r.settings, append(opts, sayUnreached(t.w))...)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	defer own.finish(c)
	for r.most < 0 || done < r.most {
		t.w.flush()
		records, err := c.next(ctx, r.timeout)
		if err != nil || records.Empty() {
			return done, err
		}
		n, err := t.print(r, records, done, func(last *kgo.Record) { own.passed(c, last) })
		done += n
		switch {
		case errors.Is(err, errNotWritten):
			t.w.errorln("Unable to write to standard out, closing consumer.")
			return done, nil
		case err != nil:
			return done, err
		}
	}
	return done, nil
}

// errNotWritten ends the tool, and is no failure, as in Kafka.
var errNotWritten = errors.New("stdout takes no more")

// printed is how many records are written before it is looked whether stdout took them: max.poll.records of Kafka.
const printed = 500

// print writes records until there are enough. Done and passed, which gets the last record of a partition or nil, tell of those that stdout took: what
// it did not take is not committed.
func (t *consumerTool) print(r *reading, f kgo.Fetches, before int64, passed func(*kgo.Record)) (done int64, err error) {
	f.EachPartition(func(p kgo.FetchTopicPartition) {
		for some := range slices.Chunk(p.Records, printed) {
			if r.most >= 0 {
				some = some[:min(int64(len(some)), r.most-before-done)]
			}
			if err != nil || len(some) == 0 {
				return
			}
			var n int64
			var last *kgo.Record
			n, last, err = t.printSome(r, some)
			if t.w.Out.Flush() != nil {
				err = errNotWritten
				return
			}
			done += n
			passed(last)
		}
	})
	return done, err
}

// printSome writes records up to one that fails, which counts too. It returns the last that did not fail, or nil.
func (t *consumerTool) printSome(r *reading, records []*kgo.Record) (done int64, last *kgo.Record, err error) {
	skip := t.set.Has(t.skip)
	for _, rec := range records {
		done++
		failed := r.format.Write(t.w.Out, rec)
		if failed != nil && !skip {
			return done, last, failed
		}
		if failed != nil {
			t.w.errorln("Error processing message, skipping this message: " + failed.Error())
		}
		last = rec
	}
	return done, last, nil
}
