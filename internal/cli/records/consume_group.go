package records

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
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
	m := &member{consumption: c, app: a}
	joined := kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { m.joined.Store(true) })
	s, err := a.Connect(ctx, append(c.options(c.want.Topics), joined)...)
	if err != nil {
		return err
	}
	m.server, m.vigil = s, a.Vigil(s)
	defer m.leave()
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
	m.each, m.polled, m.last = c.each(ctx, out), out.polled, a.World.Now()
	return out.around(func() error { return m.run(ctx) })
}

// member is one that consumes in a group.
type member struct {
	*consumption
	app    *command.App
	server *command.Server
	each   func(*kgo.FetchPartition, *kgo.Record) error
	polled func() error
	vigil  *command.Vigil
	last   time.Time // when a record came
	given  int64
	owed   []*kgo.Record // printed and not committed yet
	joined atomic.Bool   // the group has told the member what is its
}

const (
	// glance is how often a member looks whether its server is still there.
	glance = time.Second
	// leaving is how long a member waits for the answer that it has left.
	leaving = 2 * time.Second
)

// run prints and commits until the user stops it, --max or --timeout. When the server goes it waits for it, and joins the group again.
func (m *member) run(ctx context.Context) error {
	for {
		fetches, err := m.poll(ctx)
		if err != nil {
			return err
		}
		printed, err := m.give(fetches)
		m.owed = append(m.owed, printed...)
		cerr := m.commit(ctx)
		m.server.AllowRebalance()
		m.vigil.Look()
		now, enough := m.app.World.Now(), m.want.Max > 0 && m.given >= m.want.Max
		if len(printed) > 0 {
			m.last = now
		}
		switch {
		case ctx.Err() != nil:
			m.confess()
			return m.ended(errors.New("interrupted"), command.Failed)
		case err != nil:
			return err
		case cerr != nil && (enough || !m.heals(cerr)):
			return m.server.Failed(fmt.Sprintf("commit offsets of group %q", m.group), cerr)
		case enough:
			return nil
		case m.want.Timeout > 0 && now.Sub(m.last) >= m.want.Timeout:
			m.confess()
			return m.ended(fmt.Errorf("no record for %v", m.want.Timeout), command.Unreachable)
		}
	}
}

// poll waits for records, for a moment. A session with the group that has ended is none of its failures, where the client joins again.
func (m *member) poll(ctx context.Context) (kgo.Fetches, error) {
	wait := glance
	if m.want.Timeout > 0 {
		wait = min(wait, max(time.Millisecond, m.want.Timeout-m.app.World.Now().Sub(m.last)))
	}
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	fetches := m.server.PollFetches(bounded)
	for _, e := range fetches.Errors() {
		var session *kgo.ErrGroupSession
		switch {
		case ctx.Err() != nil:
		case errors.As(e.Err, &session) && m.heals(session.Err):
			m.owed = nil // the group gives them again
		case !errors.Is(e.Err, context.DeadlineExceeded):
			return nil, m.server.Failed(fmt.Sprintf("consume in group %q", m.group), e.Err)
		}
	}
	return fetches, nil
}

// rejoined are the errors after which a member joins its group again by itself.
var rejoined = []*kerr.Error{kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.FencedMemberEpoch, kerr.StaleMemberEpoch, kerr.RebalanceInProgress}

func rejoins(err error) bool {
	return slices.ContainsFunc(rejoined, func(k *kerr.Error) bool { return errors.Is(err, k) })
}

// heals reports whether the client gets over an error by itself: the server is gone, not ready yet, or has forgotten the member.
func (m *member) heals(err error) bool {
	var k *kerr.Error
	if errors.As(err, &k) {
		return k.Retriable || rejoins(k)
	}
	return m.server.Contact.Down() != nil || command.ExitOf(err) == command.Unreachable
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
	if ferr := m.polled(); ferr != nil {
		return nil, ferr // it was not seen
	}
	return printed, err
}

// commit commits what was printed, also for a moment after the user has stopped the command.
func (m *member) commit(ctx context.Context) error {
	if len(m.owed) == 0 {
		return nil
	}
	bounded, cancel := m.app.Bounded(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(parting, cancel) })()
	err := m.server.CommitRecords(bounded, m.owed...)
	// Where the group went on without this member, it gives the records again. During a rebalance it does not yet: the member still has them.
	if err == nil || rejoins(err) && !errors.Is(err, kerr.RebalanceInProgress) {
		m.owed = nil
	}
	return err
}

// confess says what was printed and could not be committed, and that there was nothing to print because the group has not begun.
func (m *member) confess() {
	if !m.joined.Load() && m.server.Contact.Down() == nil {
		m.app.Notice("group %q has not told what is this consumer's: it waits for its members, and for one that is gone as long as its session lasts", m.group)
	}
	if n := len(m.owed); n > 0 {
		m.app.Notice("%s printed and not committed: the group gives them again", command.Count(int64(n), "record"))
	}
}

// leave leaves the group, and waits no longer than a moment for a server that is gone. A group that waits for its members has not answered
// the join yet, and answers nothing before.
func (m *member) leave() {
	patience := min(m.app.Timeout(), leaving)
	if m.server.Contact.Down() != nil {
		patience = parting
	}
	m.server.AllowRebalance()
	left := make(chan struct{})
	go func() { // it can't be interrupted: where it takes too long it is left behind, and the server finds out by itself
		defer close(left)
		m.server.Close()
	}()
	select {
	case <-left:
	case <-time.After(patience):
	}
}
