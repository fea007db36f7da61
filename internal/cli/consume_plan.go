package cli

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

type partitionKey struct {
	topic     string
	partition int32
}

// reading is how far a partition is to be read, and how far it is read.
type reading struct {
	topicID string
	next    int64 // the next offset to be read
	to      int64 // exclusive; -1: without end
	done    bool
}

// plan is what to read.
type plan struct {
	at map[partitionKey]*reading
}

// bounds are the offsets of all partitions that a range may refer to.
type bounds struct {
	starts, ends kadm.ListedOffsets
	from, to     kadm.ListedOffsets // of moments
}

// resolve turns the range into offsets for each partition, and marks those that are done before they begin.
func (p *plan) resolve(ctx context.Context, s *server, c *consumption, topics []string) error {
	var b bounds
	var err error
	ask := func(into *kadm.ListedOffsets, how func(context.Context, ...string) (kadm.ListedOffsets, error)) {
		if err == nil {
			*into, err = how(ctx, topics...)
		}
	}
	at := func(pl place) func(context.Context, ...string) (kadm.ListedOffsets, error) {
		return func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return s.admin.ListOffsetsAfterMilli(ctx, pl.at.UnixMilli(), topics...)
		}
	}
	ask(&b.starts, s.admin.ListStartOffsets)
	if c.committed() {
		ask(&b.ends, s.admin.ListCommittedOffsets)
	} else {
		ask(&b.ends, s.admin.ListEndOffsets)
	}
	if c.span.from.kind == moment {
		ask(&b.from, at(c.span.from))
	}
	if c.span.to.kind == moment {
		ask(&b.to, at(c.span.to))
	}
	if err != nil {
		return s.failed("list offsets", err)
	}
	for key, r := range p.at {
		if err := r.resolve(b, c.span, c.follow, key); err != nil {
			return s.failed(fmt.Sprintf("list offsets of %s-%d", key.topic, key.partition), err)
		}
	}
	return nil
}

// resolve sets next and to. What lies before the log's start is left out, and what lies behind its end unless it is to be waited for.
func (r *reading) resolve(b bounds, span offsetRange, follow bool, key partitionKey) error {
	look := func(l kadm.ListedOffsets) (int64, error) {
		o, ok := l.Lookup(key.topic, key.partition)
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
	resolve := func(p place, moments kadm.ListedOffsets) (int64, error) {
		switch p.kind {
		case start:
			return first, nil
		case end:
			return last, nil
		case exact:
			return p.n, nil
		case fromStart:
			return first + p.n, nil
		case beforeEnd:
			return last - p.n, nil
		case after:
			return r.next + p.n, nil
		case moment:
			return look(moments)
		}
		return -1, nil
	}
	if r.next, err = resolve(span.from, b.from); err != nil {
		return err
	}
	r.next = max(r.next, first)
	if r.to, err = resolve(span.to, b.to); err != nil {
		return err
	}
	if span.to.kind != open {
		r.to = max(r.to, 0)
		if !follow {
			r.to = min(r.to, last)
		}
		r.done = r.next >= r.to
	}
	return nil
}

// offsets is what to tell the client to read.
func (p *plan) offsets() map[string]map[int32]kgo.Offset {
	all := map[string]map[int32]kgo.Offset{}
	for key, r := range p.at {
		if r.done {
			continue
		}
		if all[key.topic] == nil {
			all[key.topic] = map[int32]kgo.Offset{}
		}
		all[key.topic][key.partition] = kgo.NewOffset().At(r.next)
	}
	return all
}

// finished reports whether every partition is read to its end.
func (p *plan) finished() bool {
	for _, r := range p.at {
		if !r.done {
			return false
		}
	}
	return true
}

// passed notes that everything before next is read.
func (r *reading) passed(next int64) {
	r.next = max(r.next, next)
	r.done = r.to >= 0 && r.next >= r.to
}
