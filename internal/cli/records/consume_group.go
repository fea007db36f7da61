package records

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/span"
)

// checkGroup refuses what a member of a group can't have.
func (c *consumption) checkGroup() error {
	from := c.want.Span.From.Kind
	switch {
	case len(c.want.Partitions) > 0:
		return command.Usagef("--group gives out the partitions: it excludes --partition")
	case c.want.Span.To.Kind != span.Open || from != span.Start && from != span.End && from != span.Moment:
		return command.Usagef("with --group, --offset is start, end or @TIME, for a group that has committed nothing")
	}
	return nil
}

// options are those of a member.
func (c *consumption) options(topics []string) []kgo.Opt {
	reset := kgo.NewOffset().AtStart()
	switch c.want.Span.From.Kind {
	case span.End:
		reset = kgo.NewOffset().AtEnd()
	case span.Moment:
		reset = kgo.NewOffset().AfterMilli(c.want.Span.From.At.UnixMilli())
	}
	isolation := kgo.ReadUncommitted()
	if c.want.Committed {
		isolation = kgo.ReadCommitted()
	}
	opts := []kgo.Opt{
		kgo.ConsumerGroup(c.group), kgo.ConsumeTopics(topics...), kgo.ConsumeResetOffset(reset),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(), kgo.FetchIsolationLevel(isolation),
	}
	if c.want.Control {
		opts = append(opts, kgo.KeepControlRecords())
	}
	if c.protocol.Value == "consumer" {
		opts = append(opts, kgo.ServerSideBalancer())
	}
	return opts
}

// inGroup consumes as a member of a group. What is printed is committed, after it is printed: a record may be seen twice, none is missed.
func (c *consumption) inGroup(ctx context.Context, a *command.App, out *printer) error {
	s, err := a.Connect(ctx, c.options(c.want.Topics)...)
	if err != nil {
		return err
	}
	defer s.CloseAllowingRebalance()
	bounded, cancel := a.Bounded(ctx)
	defer cancel()
	_, f, err := s.NamedTopics(bounded, "consume", c.want.Topics)
	if err == nil {
		err = f.Or()
	}
	if err != nil {
		return err
	}
	ctx, stop := a.Interruptible(ctx)
	defer stop()
	out.next = fmt.Sprintf("`ottla group describe %s%s` shows how far behind it is", c.group, a.Again())
	m := &member{consumption: c, app: a, server: s, each: c.each(ctx, out), last: a.World.Now()}
	return out.around(func() error { return m.run(ctx) })
}

// member is one that consumes in a group.
type member struct {
	*consumption
	app    *command.App
	server *command.Server
	each   func(*kgo.FetchPartition, *kgo.Record) error
	last   time.Time // when a record came
	given  int64
}

func (m *member) run(ctx context.Context) error {
	for {
		wait := time.Minute
		if m.want.Timeout > 0 {
			wait = max(time.Millisecond, m.want.Timeout-m.app.World.Now().Sub(m.last))
		}
		bounded, cancel := context.WithTimeout(ctx, wait)
		fetches := m.server.PollFetches(bounded)
		cancel()
		for _, e := range fetches.Errors() {
			if ctx.Err() == nil && !errors.Is(e.Err, context.DeadlineExceeded) {
				return m.server.Failed(fmt.Sprintf("consume in group %q", m.group), e.Err)
			}
		}
		printed, err := m.give(fetches)
		if cerr := m.commit(ctx, printed); err == nil {
			err = cerr
		}
		m.server.AllowRebalance()
		now := m.app.World.Now()
		if len(printed) > 0 {
			m.last = now
		}
		switch {
		case ctx.Err() != nil:
			return m.ended(errors.New("interrupted"), command.Failed)
		case err != nil:
			return err
		case m.want.Max > 0 && m.given >= m.want.Max:
			return nil
		case m.want.Timeout > 0 && now.Sub(m.last) >= m.want.Timeout:
			return m.ended(fmt.Errorf("no record for %v", m.want.Timeout), command.Unreachable)
		}
	}
}

// ended is the end before --max records have come. Without --max it is as it should be.
func (m *member) ended(why error, exit command.Exit) error {
	if m.want.Max == 0 {
		return nil
	}
	return &command.Error{What: fmt.Sprintf("consume in group %q", m.group), Where: m.server.Where, Exit: exit,
		Err: fmt.Errorf("%w, after %s, before %s", why, command.Count(m.given, "record"), command.Count(m.want.Max, "record"))}
}

// give prints records and returns those that were.
func (m *member) give(fetches kgo.Fetches) (printed []*kgo.Record, err error) {
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		for _, r := range p.Records {
			if err != nil || m.want.Max > 0 && m.given >= m.want.Max {
				return
			}
			if err = m.each(&p.FetchPartition, r); err == nil {
				printed = append(printed, r)
				m.given++
			}
		}
	})
	if ferr := m.app.Out.Flush(); ferr != nil {
		return nil, ferr // it was not seen
	}
	return printed, err
}

// commit commits what was printed, also when the user has stopped the command.
func (m *member) commit(ctx context.Context, printed []*kgo.Record) error {
	if len(printed) == 0 {
		return nil
	}
	ctx, cancel := m.app.Bounded(context.WithoutCancel(ctx))
	defer cancel()
	if err := m.server.CommitRecords(ctx, printed...); err != nil {
		return m.server.Failed(fmt.Sprintf("commit offsets of group %q", m.group), err)
	}
	return nil
}
