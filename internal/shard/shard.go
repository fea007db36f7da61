package shard

import (
	"iter"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// Record is one record of an internal partition.
type Record interface {
	// AppendKey appends the encoded key.
	AppendKey(b []byte) []byte
	// AppendValue appends the encoded value; false says that the record is a tombstone.
	AppendValue(b []byte) ([]byte, bool)
}

// Ticket stands for a request that waits for its reply, in this turn or in a later one. The zero Ticket waits for nothing.
type Ticket uint64

// Client is who sent a request.
type Client struct {
	// ID is the client id of the request's header, "" if it had none.
	ID string
	// Host is the address that it came from, as Kafka writes it: "/127.0.0.1".
	Host string
}

// Reply answers a Ticket. A response is what the command's documentation says.
type Reply struct {
	To       Ticket
	Response any
}

// Core is the state machine of one partition. It belongs to one goroutine.
type Core interface {
	// Parse decodes a record of the log; a nil value is a tombstone. It returns nil, nil for a record that the core may
	// pass over, such as one of a newer release (KIP-915).
	Parse(key, value []byte) (Record, error)
	// Replay applies one record. It must not fail on what Parse accepted: an error means that the log contradicts itself,
	// and the partition can't be served.
	Replay(offset kafka.Offset, r Record) error
	// Loaded says that the log has been replayed to its end and this node leads: sessions begin anew.
	Loaded(t *Turn, image *metadata.Image)
	// Handle decides one command. Its reply may come in a later turn.
	Handle(t *Turn, ticket Ticket, cmd any)
	// Refresh follows the metadata log. Images may be passed over; the newest is always given.
	Refresh(t *Turn, image *metadata.Image)
	// Deadline is when Expire wants to be called, the zero time for never. It is asked after each turn.
	Deadline() time.Time
	// Expire does what is due at t.Now.
	Expire(t *Turn)
}

// Turn is one step of a core: the moment, and what comes of it. Make it with NewTurn.
type Turn struct {
	// Now is the time of the whole turn.
	Now time.Time
	// Room is how many bytes the records of the turn, or of a part of it (Cut), may take in their batch, 0 for any number.
	// More can't be appended, and costs a load of the core: ask Fits before writing what a client can make large.
	Room int

	replay  func(Record)
	records []Record
	cuts    []int // indexes of records that begin a part
	replies []Reply
}

// NewTurn makes a turn whose records are replayed by replay.
func NewTurn(now time.Time, replay func(Record)) *Turn {
	return &Turn{Now: now, replay: replay}
}

// Write adds a record to the turn's batch and replays it: what follows in the turn sees its effect.
func (t *Turn) Write(r Record) {
	t.records = append(t.records, r)
	t.replay(r)
}

// Cut says that what was written so far may be in another batch than what follows: a crash between them does no harm.
func (t *Turn) Cut() {
	if last := t.part(); len(t.records) > last {
		t.cuts = append(t.cuts, len(t.records))
	}
}

// part is where the records begin that must be in one batch with the next one.
func (t *Turn) part() int {
	if len(t.cuts) == 0 {
		return 0
	}
	return t.cuts[len(t.cuts)-1]
}

// Parts visits the records in order, those together that must be in one batch.
func (t *Turn) Parts() iter.Seq[[]Record] {
	return func(yield func([]Record) bool) {
		from := 0
		for _, end := range append(t.cuts, len(t.records)) {
			if from < end && !yield(t.records[from:end]) {
				return
			}
			from = end
		}
	}
}

// Fits says whether records can be written, beside those that the turn has since its last Cut, without leaving its Room.
func (t *Turn) Fits(records ...Record) bool {
	if t.Room == 0 {
		return true
	}
	size := 0
	for _, list := range [][]Record{t.records[t.part():], records} {
		for _, r := range list {
			size += Size(r)
		}
	}
	return size <= t.Room
}

// RecordOverhead bounds what a record takes in a batch beside its key and value, in bytes. The coordinator measures by it
// too: what Fits is appended.
const RecordOverhead = 32

// Size bounds the bytes that a record takes in a batch, which it is encoded for: ask for few.
func Size(r Record) int {
	b := r.AppendKey(nil)
	b, _ = r.AppendValue(b)
	return len(b) + RecordOverhead
}

// Reply answers a ticket when all records of the turn are committed, and all that were written before it.
func (t *Turn) Reply(to Ticket, response any) {
	if to != 0 {
		t.replies = append(t.replies, Reply{To: to, Response: response})
	}
}

// Records are the records written in the turn, in order.
func (t *Turn) Records() []Record { return t.records }

// Replies are the answers given in the turn, in order.
func (t *Turn) Replies() []Reply { return t.replies }
