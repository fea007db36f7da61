package kafkatools

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

const getOffsetsAbout = "An interactive shell for getting topic-partition offsets."

// getOffsetsTool is kafka-get-offsets.
type getOffsetsTool struct {
	joptTool
	set *jopt.Set

	patterns, topic, partitions, time, noInternal *jopt.Option
}

func getOffsetsMain(ctx context.Context, w *World, args []string) int {
	t := &getOffsetsTool{joptTool: newJoptTool(nil, nil)}
	t.patterns = t.Accepts("topic-partitions", "Which partitions, with commas between: TOPIC, TOPIC:PARTITION, TOPIC:FROM-TO (TO is left out), TOPIC:FROM- or TOPIC:-TO, where TOPIC is a regular expression.").Arg("String: topic1:1,topic2:0-3")
	t.topic = t.Accepts("topic", "The topic, or a regular expression; without it, all topics.").Arg("String: topic")
	t.partitions = t.Accepts("partitions", "Partitions, with commas between; without it, all of them.").Arg("String: partition ids")
	t.time = t.Accepts("time", "The offset of which moment: a timestamp, or -1 or latest, -2 or earliest, -3 or max-timestamp, -4 or earliest-local, -5 or latest-tiered, -6 or earliest-pending-upload.").Arg("String: timestamp").Default("latest")
	t.noInternal = t.Accepts("exclude-internal-topics", "Leave out internal topics.")
	var err error
	if t.set, err = t.Parse(args); err != nil && len(args) > 0 {
		w.errorln("Error occurred: " + err.Error())
		return 1
	}
	if exit, done := t.asked(w, args, t.set, getOffsetsAbout); done {
		return exit
	}
	all, err := t.settings(t.set)
	if err == nil && all[bootstrapServers] == "" {
		return w.usage(t.Parser, `Missing required argument "[bootstrap-server]"`)
	}
	if err == nil {
		err = t.print(ctx, w, all)
	}
	if err != nil {
		w.errorln("Error occurred: " + err.Error())
		return 1
	}
	return 0
}

func (t *getOffsetsTool) print(ctx context.Context, w *World, all settings) error {
	if t.set.Has(t.patterns) && t.set.Count(t.topic, t.partitions) > 0 {
		return errors.New("--topic-partitions cannot be used with --topic or --partitions")
	}
	word, err := t.set.Value(t.time)
	if err != nil {
		return err
	}
	timestamp, err := timeOfOffset(word)
	if err != nil {
		return err
	}
	filters, err := t.filters()
	if err != nil {
		return err
	}
	c, err := open(all)
	if err != nil {
		return err
	}
	defer c.Close()
	wanted, err := t.wanted(ctx, c, filters)
	if err != nil {
		return err
	}
	offsets, failed, err := c.offsets(ctx, wanted, timestamp)
	if err != nil {
		return err
	}
	slices.SortFunc(wanted, func(a, b kafka.TopicPartition) int { return cmp.Compare(a.String(), b.String()) })
	for _, p := range wanted {
		if err := failed[p]; err != nil {
			w.errorln("Skip getting offsets for topic-partition " + p.String() + " due to error: " + err.Error())
			continue
		}
		if o, ok := offsets[p]; ok && o >= 0 {
			w.printf("%s:%d:%d\n", p.Topic, p.Partition, o)
		}
	}
	return nil
}

// timeOfOffset is the timestamp that ListOffsets is asked for.
func timeOfOffset(word string) (int64, error) {
	for i, name := range []string{"latest", "earliest", "max-timestamp", "earliest-local", "latest-tiered", "earliest-pending-upload"} {
		if word == name {
			return -1 - int64(i), nil
		}
	}
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("Malformed time argument %s. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload, or a specified long format timestamp", word)
	}
	return n, nil
}

// partitionFilter is one rule of which partitions are wanted.
type partitionFilter struct {
	topic    func(string) bool
	only     []int32 // all of them, when nil
	from, to int32   // to is exclusive
}

func (f partitionFilter) takes(p kafka.TopicPartition) bool {
	return f.topic(p.Topic) && p.Partition >= f.from && p.Partition < f.to && (f.only == nil || slices.Contains(f.only, p.Partition))
}

var partitionPattern = regexp.MustCompile(`^([^:,]*)(?::(?:([0-9]*)|(?:([0-9]*)-([0-9]*))))?$`)

func (t *getOffsetsTool) filters() ([]partitionFilter, error) {
	var all []partitionFilter
	if t.set.Has(t.patterns) {
		patterns, err := t.set.Value(t.patterns)
		if err != nil {
			return nil, err
		}
		for rule := range strings.SplitSeq(patterns, ",") {
			f, err := parsePartitionRule(rule)
			if err != nil {
				return nil, err
			}
			all = append(all, f)
		}
		return all, nil
	}
	topic, err := t.set.Value(t.topic)
	if err != nil {
		return nil, err
	}
	if !t.set.Has(t.topic) {
		topic = ".*"
	}
	f := partitionFilter{to: math.MaxInt32}
	if f.topic, err = topicFilter(topic); err != nil {
		return nil, err
	}
	words, err := t.set.Value(t.partitions)
	if err != nil || words == "" {
		return []partitionFilter{f}, err
	}
	for word := range strings.SplitSeq(words, ",") {
		n, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			return nil, errors.New("--partitions expects a comma separated list of numeric partition ids, but received: " + words)
		}
		f.only = append(f.only, int32(n))
	}
	return []partitionFilter{f}, nil
}

func parsePartitionRule(rule string) (partitionFilter, error) {
	f := partitionFilter{to: math.MaxInt32}
	m := partitionPattern.FindStringSubmatch(rule)
	if m == nil {
		return f, errors.New("Invalid rule specification: " + rule)
	}
	var err error
	if f.topic, err = topicFilter(cmp.Or(m[1], ".*")); err != nil {
		return f, err
	}
	for i, set := range []func(int32){func(n int32) { f.only = []int32{n} }, func(n int32) { f.from = n }, func(n int32) { f.to = n }} {
		if m[i+2] == "" {
			continue
		}
		n, err := strconv.ParseInt(m[i+2], 10, 32)
		if err != nil {
			return f, fmt.Errorf("For input string: %q", m[i+2])
		}
		set(int32(n))
	}
	return f, nil
}

// wanted are the partitions that a filter takes.
func (t *getOffsetsTool) wanted(ctx context.Context, c *client, filters []partitionFilter) ([]kafka.TopicPartition, error) {
	topics, err := c.topics(ctx)
	if err != nil {
		return nil, err
	}
	var chosen []string
	for _, l := range topics {
		hidden := t.set.Has(t.noInternal) && (l.internal || kafka.IsInternal(l.name))
		if !hidden && slices.ContainsFunc(filters, func(f partitionFilter) bool { return f.topic(l.name) }) {
			chosen = append(chosen, l.name)
		}
	}
	var wanted []kafka.TopicPartition
	if chosen != nil {
		described, err := c.describeByName(ctx, chosen, defaultPerAsk)
		if err != nil {
			return nil, err
		}
		for _, d := range described {
			for _, p := range d.partitions {
				tp := kafka.TopicPartition{Topic: d.name, Partition: p.partition}
				if slices.ContainsFunc(filters, func(f partitionFilter) bool { return f.takes(tp) }) {
					wanted = append(wanted, tp)
				}
			}
		}
	}
	if wanted == nil {
		return nil, errors.New("Could not match any topic-partitions with the specified filters")
	}
	return wanted, nil
}
