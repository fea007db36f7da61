package scan

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/span"
)

// Want says what to read.
type Want struct {
	// Verb is what errors call the reading, such as "consume".
	Verb string
	// Topics are those to read, Partitions the only ones of each; none: all.
	Topics     []string
	Partitions []int32
	// Span is the range of each partition. A range without an end goes on for ever.
	Span span.Range
	// Follow goes beyond what is there now, up to the end of the range if it has one.
	Follow bool
	// Max is after how many records to stop; 0: no bound.
	Max int64
	// Timeout is how long to wait for a record; 0: for ever.
	Timeout time.Duration
	// Committed leaves out the records of transactions that are not committed.
	Committed bool
	// Control gives the markers of transactions too.
	Control bool
}

// until ends a range that has no end where the partitions end now, unless it is to be followed. A beginning at the end is followed: there is
// no other sense in it.
func (w *Want) until() {
	if w.Span.From.Kind == span.End && w.Span.To.Kind == span.Open {
		w.Follow = true
	}
	if !w.Follow && w.Span.To.Kind == span.Open {
		w.Span.To.Kind = span.End
	}
}

// Parse reads the range as it stands on the command line, refuses what makes no sense with the other flags, and ends a range without an end.
func (w *Want) Parse(offset string, now time.Time) error {
	var err error
	if w.Span, err = span.Parse(offset, now); err != nil {
		return command.Usagef("--offset %v", err)
	}
	to := w.Span.To.Kind
	switch {
	case w.Follow && to != span.Open && to != span.Exact && to != span.After:
		return command.Usagef("--follow waits for what is not there yet, --offset %s ends with what is", offset)
	case w.Max < 0 || w.Timeout < 0:
		return command.Usagef("--max and --timeout must not be negative")
	}
	for _, p := range w.Partitions {
		if p < 0 {
			return command.Usagef("--partition must be 0 or more")
		}
	}
	w.until()
	return command.CheckNames(w.Topics)
}

// Options are what the client must be made with to read this.
func (w *Want) Options() []kgo.Opt {
	return []kgo.Opt{
		kgo.FetchIsolationLevel(w.isolation()),
		kgo.KeepControlRecords(), // they tell how far a partition is read
		kgo.FetchMaxPartitionBytes(8 << 20),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
	}
}

func (w *Want) isolation() kgo.IsolationLevel {
	if w.Committed {
		return kgo.ReadCommitted()
	}
	return kgo.ReadUncommitted()
}

// endless reports whether the user means to stop the reading: then being stopped is success.
func (w *Want) endless() bool {
	return w.Follow && w.Max == 0 && w.Span.To.Kind == span.Open
}

// Plan finds the partitions and what the range means for each.
func (w *Want) Plan(ctx context.Context, a *command.App, s *command.Server) (*Plan, error) {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	slices.Sort(w.Topics)
	w.Topics = slices.Compact(w.Topics)
	found, f, err := s.NamedTopics(ctx, w.Verb, w.Topics)
	if err != nil {
		return nil, err
	}
	if len(f.Errs) > 0 {
		return nil, f.Errs[0]
	}
	p := &Plan{at: map[command.PartitionKey]*reading{}}
	for _, t := range found {
		for _, part := range t.Partitions {
			if len(w.Partitions) == 0 || slices.Contains(w.Partitions, part.Partition) {
				p.at[command.PartitionKey{Topic: t.Name, Partition: part.Partition}] = &reading{topicID: t.ID, to: -1}
			}
		}
		for _, wanted := range w.Partitions {
			if int(wanted) >= len(t.Partitions) {
				return nil, s.NoPartition(fmt.Sprintf("%s topic %q", w.Verb, t.Name), wanted, len(t.Partitions))
			}
		}
	}
	return p, p.resolve(ctx, s, w)
}
