package fetchsession

import (
	"cmp"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Cache holds the sessions of a node.
type Cache struct {
	slots    int
	minAge   time.Duration
	newID    func() int32
	sessions map[int32]*session
}

// NewCache makes a cache of at most slots sessions (max.incremental.fetch.session.cache.slots). A session younger than
// minAge (Kafka's is two minutes) is not evicted for another. newID draws ids; those that are taken or not positive are
// drawn again.
func NewCache(slots int, minAge time.Duration, newID func() int32) *Cache {
	return &Cache{slots: slots, minAge: minAge, newID: newID, sessions: make(map[int32]*session)}
}

// Len is the number of sessions.
func (c *Cache) Len() int { return len(c.sessions) }

// Begin decides what a fetch reads and tells it in x, whose memory it uses again. It keeps nothing of req. Errors are FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH and
// FETCH_SESSION_TOPIC_ID_ERROR.
func (c *Cache) Begin(now time.Time, req Request, x *Context) error {
	x.reset()
	x.byID, x.privileged = req.ByID, req.Privileged
	if req.Epoch == Final || req.Epoch == Initial {
		delete(c.sessions, req.Session)
		x.Partitions = unique(x.Partitions, req.Partitions)
		x.create = req.Epoch == Initial
		return nil
	}
	s := c.sessions[req.Session]
	if err := s.check(req); err != nil {
		return err
	}
	s.update(req)
	s.used = now
	x.Partitions = s.wanted(x.Partitions)
	if len(s.partitions) == 0 {
		delete(c.sessions, s.id) // nothing left to remember
		return nil
	}
	s.epoch = next(s.epoch)
	x.session, x.epoch, x.incremental = s.id, s.epoch, true
	return nil
}

// unique appends to out the last wish for each partition, in the order of the first.
func unique(out, all []Partition) []Partition {
	if len(all) == 1 {
		return append(out, all[0])
	}
	at := make(map[Key]int, len(all))
	for _, p := range all {
		if i, seen := at[p.Key]; seen {
			out[i] = p
			continue
		}
		at[p.Key] = len(out)
		out = append(out, p)
	}
	return out
}

// Finish takes the results in the order of Context.Partitions. It returns the session id for the answer and, for an
// incremental fetch, which partitions the answer names, good until the next Begin with x; nil stands for all. The error is INVALID_FETCH_SESSION_EPOCH
// when another request has used the session meanwhile, and FETCH_SESSION_ID_NOT_FOUND when it is gone.
func (c *Cache) Finish(now time.Time, x *Context, results []Result) (id int32, answer []bool, err error) {
	if x.incremental {
		return c.finishIncremental(x, results)
	}
	if !x.create || !c.room(now, x) {
		return NoSession, nil, nil
	}
	s := &session{
		id: c.freeID(), epoch: next(Initial), byID: x.byID, privileged: x.privileged,
		created: now, used: now, partitions: make(map[Key]*cached, len(x.Partitions)),
	}
	for i, p := range x.Partitions {
		s.set(p)
		s.partitions[p.Key].mustAnswer(results[i])
	}
	c.sessions[s.id] = s
	return s.id, nil, nil
}

func (c *Cache) finishIncremental(x *Context, results []Result) (int32, []bool, error) {
	s := c.sessions[x.session]
	if s == nil {
		return NoSession, nil, kerr.FetchSessionIDNotFound
	}
	if s.epoch != x.epoch {
		return NoSession, nil, kerr.InvalidFetchSessionEpoch
	}
	for i, r := range results {
		k := x.Partitions[i].Key
		p := s.partitions[k]
		x.answer = append(x.answer, p.mustAnswer(r))
		if p.served = r.Bytes > 0; p.served {
			x.served = append(x.served, k)
		}
	}
	s.demote(x.served)
	return s.id, x.answer, nil
}

// demote moves partitions that gave records to the end, so that the next answer begins with the others.
func (s *session) demote(served []Key) {
	if len(served) == 0 || len(served) == len(s.order) {
		return
	}
	s.order = append(slices.DeleteFunc(s.order, func(k Key) bool { return s.partitions[k].served }), served...)
}

func (c *Cache) freeID() int32 {
	for {
		id := c.newID()
		if id > 0 && c.sessions[id] == nil {
			return id
		}
	}
}

// room makes a place for a new session, evicting one that was idle too long, or one that has had its time and is worth
// less: not privileged, or smaller.
func (c *Cache) room(now time.Time, x *Context) bool {
	if len(c.sessions) < c.slots {
		return true
	}
	if c.slots == 0 {
		return false
	}
	var idle, least *session
	for _, s := range c.sessions {
		if idle == nil || compareUse(s, idle) < 0 {
			idle = s
		}
		if now.Sub(s.created) > c.minAge && (least == nil || compareWorth(s, least) < 0) {
			least = s
		}
	}
	switch {
	case now.Sub(idle.used) > c.minAge:
		delete(c.sessions, idle.id)
	case least != nil && (x.privileged && !least.privileged || x.privileged == least.privileged && len(least.partitions) < len(x.Partitions)):
		delete(c.sessions, least.id)
	default:
		return false
	}
	return true
}

func compareUse(a, b *session) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.id, b.id)) }

func compareWorth(a, b *session) int {
	if a.privileged != b.privileged {
		if b.privileged {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(len(a.partitions), len(b.partitions)), cmp.Compare(a.id, b.id))
}
