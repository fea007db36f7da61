package controller

import (
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// session is what the controller knows of a broker beside the log.
type session struct {
	lastContact time.Time
	// offset is the metadata offset that the broker has reached.
	offset kafka.Offset
	// shutdownAt is the offset that the others must reach before the broker may go; NoOffset while it stays.
	shutdownAt kafka.Offset
	// unheard says that no connection is known by which the broker could be heard.
	unheard bool
}

// sessions are by broker; every registered broker has one.
type sessions map[kafka.NodeID]*session

func newSession(now time.Time) *session {
	return &session{lastContact: now, offset: kafka.NoOffset, shutdownAt: kafka.NoOffset}
}

// valid reports whether a broker that is not fenced was heard of within the timeout.
func (c *Controller) valid(b *metadata.Broker, now time.Time) bool {
	s := c.sessions[b.ID]
	return s != nil && !b.Fenced && now.Sub(s.lastContact) <= c.cfg.SessionTimeout
}

// touch notes a sign of life.
func (c *Controller) touch(id kafka.NodeID, now time.Time, offset kafka.Offset) *session {
	s := c.sessions[id]
	if s == nil {
		s = newSession(now)
		c.sessions[id] = s
	}
	s.lastContact, s.offset, s.unheard = now, offset, false
	return s
}

// lowestOffset is how far the slowest active broker has read the metadata log.
func (c *Controller) lowestOffset() kafka.Offset {
	lowest := kafka.Offset(math.MaxInt64)
	for _, b := range c.Image().Cluster.Brokers() {
		if s := c.sessions[b.ID]; s != nil && b.Active() && s.shutdownAt == kafka.NoOffset {
			lowest = min(lowest, s.offset)
		}
	}
	return lowest
}

// Deadline returns when Expire has something to do: the end of the oldest session, or the next look at leaders. The zero time says never.
func (c *Controller) Deadline() time.Time {
	first := c.rebalanceAt
	for _, b := range c.Image().Cluster.Brokers() {
		s := c.sessions[b.ID]
		if s == nil || b.Fenced {
			continue
		}
		// One tick later: at the deadline itself the session still counts.
		if end := s.lastContact.Add(c.cfg.SessionTimeout + time.Millisecond); first.IsZero() || end.Before(first) {
			first = end
		}
	}
	return first
}

// RenewSessions gives every broker a full session from now on: the controller itself was away.
func (c *Controller) RenewSessions(now time.Time) {
	for _, s := range c.sessions {
		s.lastContact = now
	}
}

// Silent returns the broker that Expire fences next, as its session has ended, and for how long nothing was heard from it; nil if there is none.
func (c *Controller) Silent(now time.Time) (*metadata.Broker, time.Duration) {
	for _, b := range c.Image().Cluster.Brokers() {
		if b.Fenced || c.valid(b, now) {
			continue
		}
		if s := c.sessions[b.ID]; s != nil {
			return b, now.Sub(s.lastContact)
		}
		return b, 0
	}
	return nil, 0
}

// handle fences one broker whose session has ended: the effect of each is visible before the next is judged. Where none has, leaders go back.
func (Expire) handle(c *Controller, t turn) (Result, error) {
	var out records
	if b, _ := c.Silent(t.now); b != nil {
		c.fence(&out, b)
	} else {
		c.rebalance(&out, t.now)
	}
	return Result{Records: out}, nil
}

func (d Disconnected) handle(c *Controller, t turn) (Result, error) {
	var out records
	b := c.Image().Cluster.Broker(kafka.NodeID(d.Broker))
	if b == nil || b.Epoch != kafka.BrokerEpoch(d.Epoch) {
		return Result{}, nil
	}
	if s := c.sessions[b.ID]; s != nil {
		s.unheard = true
	}
	if d.Gone && !b.Fenced {
		c.fence(&out, b)
	}
	return Result{Records: out}, nil
}

// succeeds reports whether a registration is of the process that came after a broker's: it holds the locks of the same directories, and the
// other one is not heard any more.
func (c *Controller) succeeds(b *metadata.Broker, req *kmsg.BrokerRegistrationRequest) bool {
	s := c.sessions[b.ID]
	return s != nil && s.unheard && len(req.LogDirs) > 0 && slices.Equal(directories(req.LogDirs), b.Directories)
}

// replaySessions keeps a session for each registered broker.
func (c *Controller) replaySessions(now time.Time, change metadata.Change) {
	for _, b := range change.Delta.Brokers() {
		switch {
		case b.After == nil:
			delete(c.sessions, b.ID)
			delete(c.registered, b.ID)
		case b.Before == nil || b.Before.Incarnation != b.After.Incarnation:
			c.sessions[b.ID] = newSession(now)
		case b.After.Fenced && c.sessions[b.ID] != nil:
			c.sessions[b.ID].shutdownAt = kafka.NoOffset
		}
	}
}
