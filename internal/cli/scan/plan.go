package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/span"
)

// reading is how far a partition is to be read, and how far it is read.
type reading struct {
	topicID string
	next    int64 // the next offset to be read
	to      int64 // exclusive; -1: without end
	done    bool
}

// Plan is what to read of each partition, and how far it is read.
type Plan struct {
	at   map[command.PartitionKey]*reading
	ends command.Bounds // when the range was resolved
}

// resolve turns the range into offsets for each partition, and marks those that are done before they begin.
func (p *Plan) resolve(ctx context.Context, s *command.Server, w *Want) error {
	var b command.Bounds
	var err error
	ask := func(into *kadm.ListedOffsets, how func(context.Context, ...string) (kadm.ListedOffsets, error)) {
		if err == nil {
			*into, err = listed(ctx, how, w.Topics)
		}
	}
	at := func(pl span.Place) func(context.Context, ...string) (kadm.ListedOffsets, error) {
		return func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return s.Admin.ListOffsetsAfterMilli(ctx, pl.At.UnixMilli(), topics...)
		}
	}
	ask(&b.Starts, s.Admin.ListStartOffsets)
	if w.Committed {
		ask(&b.Ends, s.Admin.ListCommittedOffsets)
	} else {
		ask(&b.Ends, s.Admin.ListEndOffsets)
	}
	if w.Span.From.Kind == span.Moment {
		ask(&b.From, at(w.Span.From))
	}
	if w.Span.To.Kind == span.Moment {
		ask(&b.To, at(w.Span.To))
	}
	if err != nil {
		return s.Failed("list offsets", err)
	}
	for key, r := range p.at {
		if err := r.resolve(b, w.Span, w.Follow, key); err != nil {
			return s.Failed(fmt.Sprintf("list offsets of %s-%d", key.Topic, key.Partition), err)
		}
	}
	p.ends = b
	return nil
}

// Beyond reports that the range begins behind the end of every partition that is read, and the highest of those ends.
func (p *Plan) Beyond() (end int64, beyond bool) {
	for key, r := range p.at {
		_, last, err := p.ends.Of(key)
		if err != nil || r.next <= last {
			return 0, false
		}
		end = max(end, last)
	}
	return end, len(p.at) > 0
}

// After an election, a leader does not know for a moment where the log ends for consumers: so often it is asked again.
const (
	asksAgain  = 150
	askedEvery = 20 * time.Millisecond
)

// listed asks for offsets until the leaders know them.
func listed(ctx context.Context, how func(context.Context, ...string) (kadm.ListedOffsets, error), topics []string) (offsets kadm.ListedOffsets, err error) {
	tick := time.NewTicker(askedEvery)
	defer tick.Stop()
	for range asksAgain {
		if offsets, err = how(ctx, topics...); err != nil || !elected(offsets) {
			break
		}
		select {
		case <-ctx.Done():
			return offsets, nil
		case <-tick.C:
		}
	}
	return offsets, err
}

// elected reports whether a leader is so new that it does not know its offsets.
func elected(offsets kadm.ListedOffsets) bool {
	is := false
	offsets.Each(func(o kadm.ListedOffset) { is = is || errors.Is(o.Err, kerr.OffsetNotAvailable) })
	return is
}

// resolve sets next and to. What lies before the log's start is left out, and what lies behind its end unless it is to be waited for.
func (r *reading) resolve(b command.Bounds, of span.Range, follow bool, key command.PartitionKey) error {
	first, last, err := b.Of(key)
	if err != nil {
		return err
	}
	resolve := func(p span.Place, moments kadm.ListedOffsets) (int64, error) {
		switch p.Kind {
		case span.Start:
			return first, nil
		case span.End:
			return last, nil
		case span.Exact:
			return p.N, nil
		case span.FromStart:
			return first + p.N, nil
		case span.BeforeEnd:
			return last - p.N, nil
		case span.After:
			return r.next + p.N, nil
		case span.Moment:
			return key.Listed(moments)
		}
		return -1, nil
	}
	if r.next, err = resolve(of.From, b.From); err != nil {
		return err
	}
	r.next = max(r.next, first)
	if r.to, err = resolve(of.To, b.To); err != nil {
		return err
	}
	if of.To.Kind != span.Open {
		r.to = max(r.to, 0)
		if !follow {
			r.to = min(r.to, last)
		}
		r.done = r.next >= r.to
	}
	return nil
}

// offsets is what to tell the client to read.
func (p *Plan) offsets() map[string]map[int32]kgo.Offset {
	all := map[string]map[int32]kgo.Offset{}
	for key, r := range p.at {
		if r.done {
			continue
		}
		if all[key.Topic] == nil {
			all[key.Topic] = map[int32]kgo.Offset{}
		}
		all[key.Topic][key.Partition] = kgo.NewOffset().At(r.next)
	}
	return all
}

// Left counts the offsets that are still to be read: about the number of records. It is -1 when there is no end to them.
func (p *Plan) Left() int64 {
	var n int64
	for _, r := range p.at {
		if r.to < 0 {
			return -1
		}
		n += max(0, r.to-r.next)
	}
	return n
}

// Ranges are what is still to be read of each partition: first offset inclusive, last exclusive (-1: without end). In order.
func (p *Plan) Ranges() []Part {
	var all []Part
	for key, r := range p.at {
		all = append(all, Part{key, r.next, r.to})
	}
	slices.SortFunc(all, func(x, y Part) int {
		return cmp.Or(strings.Compare(x.Topic, y.Topic), cmp.Compare(x.Partition, y.Partition))
	})
	return all
}

// Part is a range of one partition.
type Part struct {
	command.PartitionKey
	From, To int64
}

// finished reports whether every partition is read to its end.
func (p *Plan) finished() bool {
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
