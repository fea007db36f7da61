package groups

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/span"
)

// planSeek finds the partitions and where each is to go. What can't be planned comes back as failures.
func planSeek(ctx context.Context, s *command.Server, what, name string, k *seeking) ([]move, *command.Failures, error) {
	committed, err := committed(ctx, s, name)
	if err != nil {
		return nil, nil, s.Failed(what, err)
	}
	keys, f, err := seekable(ctx, s, k, committed)
	if err != nil || len(keys) == 0 {
		return nil, f, err
	}
	var topics []string
	for _, key := range keys {
		topics = append(topics, key.Topic)
	}
	b, err := bookends(ctx, s, slices.Compact(topics), k.aim)
	if err != nil {
		return nil, nil, s.Failed("list offsets", err)
	}
	var moves []move
	for _, key := range keys {
		m := move{Topic: key.Topic, Partition: key.Partition}
		if c, ok := committed[key]; ok {
			m.From = &c.offset
		}
		if err := m.resolve(b, &k.aim); err != nil {
			f.Add(s.Failed(fmt.Sprintf("seek %s-%d in group %q", key.Topic, key.Partition, name), err))
			continue
		}
		moves = append(moves, m)
	}
	return moves, f, nil
}

// bookends are the first and the last offsets of topics, and those of the time that is aimed at.
func bookends(ctx context.Context, s *command.Server, topics []string, to aim) (b command.Bounds, err error) {
	if b.Starts, err = s.Admin.ListStartOffsets(ctx, topics...); err != nil {
		return b, err
	}
	if b.Ends, err = s.Admin.ListEndOffsets(ctx, topics...); err != nil || to.place.Kind != span.Moment {
		return b, err
	}
	b.From, err = s.Admin.ListOffsetsAfterMilli(ctx, to.place.At.UnixMilli(), topics...)
	return b, err
}

// seekable lists the partitions to be moved, in order: those of the file, those selected, or those committed. A topic that
// is named and not there is a failure.
func seekable(ctx context.Context, s *command.Server, k *seeking, committed map[command.PartitionKey]commitment) ([]command.PartitionKey, *command.Failures, error) {
	f := &command.Failures{}
	set := map[command.PartitionKey]bool{}
	switch {
	case k.aim.file != nil:
		for key := range k.aim.file {
			set[key] = selects(k.chosen, key)
		}
	case len(k.chosen) == 0:
		for key := range committed {
			set[key] = true
		}
	default:
		var names []string
		for _, sel := range k.chosen {
			names = append(names, sel.topic)
		}
		slices.Sort(names)
		found, missing, err := s.NamedTopics(ctx, "seek in", slices.Compact(names))
		if err != nil {
			return nil, nil, err
		}
		f = missing
		for _, t := range found {
			for _, p := range t.Partitions {
				set[command.PartitionKey{Topic: t.Name, Partition: p.Partition}] = selects(k.chosen, command.PartitionKey{Topic: t.Name, Partition: p.Partition})
			}
		}
		for _, sel := range k.chosen {
			for _, p := range sel.partitions {
				if _, known := set[command.PartitionKey{Topic: sel.topic, Partition: p}]; !known && slices.ContainsFunc(found, func(t command.Topic) bool { return t.Name == sel.topic }) {
					f.Add(&command.Error{What: fmt.Sprintf("seek in topic %q", sel.topic), Where: s.Where, Exit: command.NotFound, Err: fmt.Errorf("there is no partition %d", p)})
				}
			}
		}
	}
	maps.DeleteFunc(set, func(_ command.PartitionKey, wanted bool) bool { return !wanted })
	return slices.SortedFunc(maps.Keys(set), comparePartitions), f, nil
}

// resolve finds where the partition is to go, within the bounds of its log.
func (m *move) resolve(b command.Bounds, to *aim) error {
	first, last, err := b.Of(m.key())
	if err != nil {
		return err
	}
	switch {
	case to.file != nil:
		m.To = to.file[m.key()]
	case to.shift != nil && m.From == nil:
		return fmt.Errorf("nothing is committed that could be shifted")
	case to.shift != nil:
		m.To = saturate(*m.From, *to.shift)
	case to.current && m.From != nil:
		m.To = *m.From
	case to.current:
		m.To, m.Note = last, "nothing was committed"
	case to.place.Kind == span.Start:
		m.To = first
	case to.place.Kind == span.End:
		m.To = last
	case to.place.Kind == span.Exact:
		m.To = to.place.N
	case to.place.Kind == span.FromStart:
		m.To = saturate(first, to.place.N)
	case to.place.Kind == span.BeforeEnd:
		m.To = saturate(last, -to.place.N)
	case to.place.Kind == span.Moment:
		if m.To, err = m.key().Listed(b.From); err != nil {
			return err
		}
		if m.To < 0 { // no record is as new as that
			m.To = last
		}
	}
	switch {
	case m.To < first:
		m.Note = fmt.Sprintf("%d is below the log's start", m.To)
		m.To = first
	case m.To > last:
		m.Note = fmt.Sprintf("%d is beyond the log's end", m.To)
		m.To = last
	}
	return nil
}

// saturate adds without overflow; offsets are not negative.
func saturate(a, b int64) int64 {
	if sum := a + b; b <= 0 || sum > a {
		return sum
	}
	return 1<<63 - 1
}

// readOffsets reads lines TOPIC,PARTITION,OFFSET from a file, or from standard input. Lines of four columns begin with a
// group's name, as Kafka's tool writes them for several groups; those of other groups are left out.
func readOffsets(a *command.App, file, name string) (map[command.PartitionKey]int64, error) {
	in := a.World.In
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, &command.Error{What: "read offsets", Err: err}
		}
		defer opened.Close()
		in = opened
	}
	all, err := parseOffsetLines(in, name)
	if err == nil && len(all) == 0 {
		err = command.Usagef("there is no offset of group %q in it", name)
	}
	if e, ok := err.(*command.Error); ok {
		e.What, e.Where = "read offsets", file+e.Where
	}
	return all, err
}

func parseOffsetLines(in io.Reader, name string) (map[command.PartitionKey]int64, error) {
	all := map[command.PartitionKey]int64{}
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.ReplaceAll(lines.Text(), `"`, "")) // Kafka's tool reads and may write quotes
		if line == "" {
			continue
		}
		fields := strings.Split(line, ",")
		if len(fields) == 4 {
			if fields[0] != name {
				continue
			}
			fields = fields[1:]
		}
		key, offset, err := parseOffsetFields(fields)
		if err == nil {
			if _, twice := all[key]; twice {
				err = command.Usagef("%s-%d was named before", key.Topic, key.Partition)
			}
		}
		if err != nil {
			err.Where = ":" + strconv.Itoa(n)
			return nil, err
		}
		all[key] = offset
	}
	if err := lines.Err(); err != nil {
		return nil, &command.Error{Err: err}
	}
	return all, nil
}

func parseOffsetFields(fields []string) (command.PartitionKey, int64, *command.Error) {
	e := command.Usagef("%q is not TOPIC,PARTITION,OFFSET", strings.Join(fields, ","))
	if len(fields) != 3 || command.CheckNames(fields[:1]) != nil {
		return command.PartitionKey{}, 0, e
	}
	p, perr := strconv.ParseInt(fields[1], 10, 32)
	o, oerr := strconv.ParseInt(fields[2], 10, 64)
	if perr != nil || oerr != nil || p < 0 || o < 0 {
		return command.PartitionKey{}, 0, e
	}
	return command.PartitionKey{Topic: fields[0], Partition: int32(p)}, o, nil
}
