package fetchsession

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

// Epochs of a request with a meaning of their own.
const (
	// Final closes the session, if any: a full fetch that makes none.
	Final int32 = -1
	// Initial asks for a new session by a full fetch.
	Initial int32 = 0
)

// NoSession is the id of no session.
const NoSession int32 = 0

// Key names a partition as the client does: Topic or ID is set, not both.
type Key struct {
	Topic     string
	ID        kafka.TopicID
	Partition int32
}

// Partition is what a client wants of a partition.
type Partition struct {
	Key
	Offset           kafka.Offset
	MaxBytes         int32
	LeaderEpoch      kafka.LeaderEpoch // as the client knows it, or NoEpoch
	LastFetchedEpoch kafka.LeaderEpoch // of the last record that it has, or NoEpoch (KIP-595)
	LogStartOffset   kafka.Offset      // of a follower
}

// Request is a fetch as far as sessions go.
type Request struct {
	Session int32
	Epoch   int32
	// ByID says that topics are named by id.
	ByID bool
	// Privileged sessions, those of followers, are evicted last.
	Privileged bool
	Partitions []Partition
	Forgotten  []Key
}

// Result is what the read of a partition gave, as far as sessions go.
type Result struct {
	ErrorCode      int16
	HighWatermark  kafka.Offset
	LogStartOffset kafka.Offset
	Bytes          int
	// Noteworthy says that the answer holds something else the client must see: a diverging epoch, a preferred replica.
	Noteworthy bool
}

// Context is one fetch on its way between Begin and Finish.
type Context struct {
	// Partitions are to be read, in this order.
	Partitions []Partition

	session     int32 // of an incremental fetch
	epoch       int32 // that the session has after Begin
	create      bool
	byID        bool
	privileged  bool
	incremental bool

	answer []bool // memory of Finish
	served []Key  // memory of Finish
}

// reset makes a context ready for the next fetch; it keeps its memory.
func (x *Context) reset() {
	*x = Context{Partitions: x.Partitions[:0], answer: x.answer[:0], served: x.served[:0]}
}

// cached is a partition of a session, with what the client was told last.
type cached struct {
	want           Partition
	served         bool // by the fetch that finishes now
	highWatermark  kafka.Offset
	logStartOffset kafka.Offset
}

// mustAnswer reports whether a result says something new, and keeps it.
func (p *cached) mustAnswer(r Result) bool {
	changed := r.Bytes > 0 || r.Noteworthy || r.ErrorCode != 0 ||
		p.highWatermark != r.HighWatermark || p.logStartOffset != r.LogStartOffset
	p.highWatermark, p.logStartOffset = r.HighWatermark, r.LogStartOffset
	if r.ErrorCode != 0 {
		p.highWatermark = kafka.NoOffset // so that the recovery is answered too
	}
	return changed
}

type session struct {
	id         int32
	epoch      int32 // that the next request must have
	byID       bool
	privileged bool
	created    time.Time
	used       time.Time
	order      []Key // in which partitions are read
	partitions map[Key]*cached
}

// next is the epoch after e; it never becomes Initial or Final.
func next(e int32) int32 {
	if e < 0 {
		return Final
	}
	if e == 1<<31-1 {
		return 1
	}
	return e + 1
}

// update takes over what an incremental request changes.
func (s *session) update(req Request) {
	for _, p := range req.Partitions {
		s.set(p)
	}
	for _, k := range req.Forgotten {
		s.forget(k)
	}
}

func (s *session) set(p Partition) {
	if c := s.partitions[p.Key]; c != nil {
		c.want = p
		return
	}
	s.partitions[p.Key] = &cached{want: p, highWatermark: kafka.NoOffset, logStartOffset: kafka.NoOffset}
	s.order = append(s.order, p.Key)
}

func (s *session) forget(k Key) {
	if s.partitions[k] == nil {
		return
	}
	delete(s.partitions, k)
	for i := range s.order {
		if s.order[i] == k {
			s.order = append(s.order[:i], s.order[i+1:]...)
			return
		}
	}
}

// wanted appends what the session wants to all, in the order of reading.
func (s *session) wanted(all []Partition) []Partition {
	for _, k := range s.order {
		all = append(all, s.partitions[k].want)
	}
	return all
}

// check judges an incremental request.
func (s *session) check(req Request) error {
	switch {
	case s == nil:
		return kerr.FetchSessionIDNotFound
	case s.byID != req.ByID:
		return kerr.FetchSessionTopicIDError
	case s.epoch != req.Epoch:
		return kerr.InvalidFetchSessionEpoch
	}
	return nil
}
