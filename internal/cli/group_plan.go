package cli

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

	"github.com/twmb/franz-go/pkg/kadm"
)

// planSeek finds the partitions and where each is to go. What can't be planned comes back as failures.
func (s *server) planSeek(ctx context.Context, what, name string, k *seeking) ([]move, *failures, error) {
	committed, err := s.committed(ctx, name)
	if err != nil {
		return nil, nil, s.failed(what, err)
	}
	keys, f, err := s.seekable(ctx, k, committed)
	if err != nil || len(keys) == 0 {
		return nil, f, err
	}
	var topics []string
	for _, key := range keys {
		topics = append(topics, key.topic)
	}
	b, err := s.bookends(ctx, slices.Compact(topics), k.aim)
	if err != nil {
		return nil, nil, s.failed("list offsets", err)
	}
	var moves []move
	for _, key := range keys {
		m := move{Topic: key.topic, Partition: key.partition}
		if c, ok := committed[key]; ok {
			m.From = &c.offset
		}
		if err := m.resolve(b, &k.aim); err != nil {
			f.add(s.failed(fmt.Sprintf("seek %s-%d in group %q", key.topic, key.partition, name), err))
			continue
		}
		moves = append(moves, m)
	}
	return moves, f, nil
}

// bookends are the first and the last offsets of topics, and those of the time that is aimed at.
func (s *server) bookends(ctx context.Context, topics []string, to aim) (b bounds, err error) {
	if b.starts, err = s.admin.ListStartOffsets(ctx, topics...); err != nil {
		return b, err
	}
	if b.ends, err = s.admin.ListEndOffsets(ctx, topics...); err != nil || to.place.kind != moment {
		return b, err
	}
	b.from, err = s.admin.ListOffsetsAfterMilli(ctx, to.place.at.UnixMilli(), topics...)
	return b, err
}

// seekable lists the partitions to be moved, in order: those of the file, those selected, or those committed. A topic that
// is named and not there is a failure.
func (s *server) seekable(ctx context.Context, k *seeking, committed map[partitionKey]commitment) ([]partitionKey, *failures, error) {
	f := &failures{}
	set := map[partitionKey]bool{}
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
		found, missing, err := s.namedTopics(ctx, "seek in", slices.Compact(names))
		if err != nil {
			return nil, nil, err
		}
		f = missing
		for _, t := range found {
			for _, p := range t.Partitions {
				set[partitionKey{t.Name, p.Partition}] = selects(k.chosen, partitionKey{t.Name, p.Partition})
			}
		}
		for _, sel := range k.chosen {
			for _, p := range sel.partitions {
				if _, known := set[partitionKey{sel.topic, p}]; !known && slices.ContainsFunc(found, func(t topic) bool { return t.Name == sel.topic }) {
					f.add(&Error{What: fmt.Sprintf("seek in topic %q", sel.topic), Where: s.where, Exit: NotFound, Err: fmt.Errorf("there is no partition %d", p)})
				}
			}
		}
	}
	maps.DeleteFunc(set, func(_ partitionKey, wanted bool) bool { return !wanted })
	return slices.SortedFunc(maps.Keys(set), comparePartitions), f, nil
}

// resolve finds where the partition is to go, within the bounds of its log.
func (m *move) resolve(b bounds, to *aim) error {
	look := func(l kadm.ListedOffsets) (int64, error) {
		o, ok := l.Lookup(m.Topic, m.Partition)
		if !ok {
			return 0, errNotMentioned
		}
		return o.Offset, o.Err
	}
	first, err := look(b.starts)
	if err != nil {
		return err
	}
	last, err := look(b.ends)
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
	case to.place.kind == start:
		m.To = first
	case to.place.kind == end:
		m.To = last
	case to.place.kind == exact:
		m.To = to.place.n
	case to.place.kind == fromStart:
		m.To = saturate(first, to.place.n)
	case to.place.kind == beforeEnd:
		m.To = saturate(last, -to.place.n)
	case to.place.kind == moment:
		if m.To, err = look(b.from); err != nil {
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
func (a *app) readOffsets(file, name string) (map[partitionKey]int64, error) {
	in := a.world.In
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, &Error{What: "read offsets", Err: err}
		}
		defer opened.Close()
		in = opened
	}
	all, err := parseOffsetLines(in, name)
	if err == nil && len(all) == 0 {
		err = Usagef("there is no offset of group %q in it", name)
	}
	if e, ok := err.(*Error); ok {
		e.What, e.Where = "read offsets", file+e.Where
	}
	return all, err
}

func parseOffsetLines(in io.Reader, name string) (map[partitionKey]int64, error) {
	all := map[partitionKey]int64{}
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
				err = Usagef("%s-%d was named before", key.topic, key.partition)
			}
		}
		if err != nil {
			err.Where = ":" + strconv.Itoa(n)
			return nil, err
		}
		all[key] = offset
	}
	if err := lines.Err(); err != nil {
		return nil, &Error{Err: err}
	}
	return all, nil
}

func parseOffsetFields(fields []string) (partitionKey, int64, *Error) {
	e := Usagef("%q is not TOPIC,PARTITION,OFFSET", strings.Join(fields, ","))
	if len(fields) != 3 || checkNames(fields[:1]) != nil {
		return partitionKey{}, 0, e
	}
	p, perr := strconv.ParseInt(fields[1], 10, 32)
	o, oerr := strconv.ParseInt(fields[2], 10, 64)
	if perr != nil || oerr != nil || p < 0 || o < 0 {
		return partitionKey{}, 0, e
	}
	return partitionKey{fields[0], int32(p)}, o, nil
}
