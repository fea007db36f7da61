package group

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// world drives a shard as a coordinator does, without a log, and prints what comes of it. Whoever embeds it says how.
type world struct {
	t       testing.TB
	s       *Shard
	config  Config
	now     time.Time
	image   *metadata.Image
	out     strings.Builder
	log     [][2][]byte
	tickets map[shard.Ticket]string // who waits
	last    shard.Ticket

	wrote    func(schema.GroupRecord)        // prints a record
	answered func(name string, response any) // prints an answer
}

// newWorld returns the parts of a world that do not depend on its configuration.
func newWorld(t testing.TB, now time.Time) world {
	return world{t: t, now: now, image: metadata.Empty(), tickets: make(map[shard.Ticket]string)}
}

// drawIDs returns what gives members the ids 1, 2, 3, …
func drawIDs() func() kafka.UUID {
	drawn := byte(0)
	return func() kafka.UUID { drawn++; return kafka.UUID{15: drawn} }
}

// turn runs one step; a room of 0 is any.
func (w *world) turn(room int, step func(t *shard.Turn)) {
	t := shard.NewTurn(w.now, func(r shard.Record) {
		if err := w.s.Replay(0, r); err != nil {
			w.t.Fatal(err)
		}
	})
	t.Room = room
	step(t)
	for _, r := range t.Records() {
		r := r.(schema.GroupRecord)
		value, ok := r.AppendValue(nil)
		if !ok {
			value = nil
		}
		w.log = append(w.log, [2][]byte{r.AppendKey(nil), value})
		w.wrote(r)
	}
	for _, r := range t.Replies() {
		name, waits := w.tickets[r.To]
		if !waits {
			w.t.Fatalf("ticket %d is answered twice", r.To)
		}
		delete(w.tickets, r.To)
		w.answered(name, r.Response)
	}
}

// ask sends one request.
func (w *world) ask(room int, name string, cmd any) {
	w.last++
	ticket := w.last
	w.tickets[ticket] = name
	w.turn(room, func(t *shard.Turn) { w.s.Handle(t, ticket, cmd) })
}

// begin makes the shard anew, with an empty log.
func (w *world) begin() {
	w.s, w.log = NewShard(w.config), nil
	w.loaded()
}

// restart loads the shard from its log; who waits is forgotten.
func (w *world) restart() {
	w.s = w.load()
	clear(w.tickets)
	w.loaded()
}

func (w *world) loaded() { w.turn(0, func(t *shard.Turn) { w.s.Loaded(t, w.image) }) }

// load loads the log into another shard, which must know the same groups.
func (w *world) load() *Shard {
	w.t.Helper()
	s := NewShard(w.config)
	s.image, s.modern.Image = w.image, w.image
	for i, r := range w.log {
		record, err := s.Parse(r[0], r[1])
		if err != nil {
			w.t.Fatal(err)
		}
		if err := s.Replay(kafka.Offset(i), record); err != nil {
			w.t.Fatal(err)
		}
		if again := record.AppendKey(nil); !bytes.Equal(again, r[0]) {
			w.t.Fatalf("key %x is %x when written again", r[0], again)
		}
	}
	if got, want := slices.Sorted(maps.Keys(s.groups)), slices.Sorted(maps.Keys(w.s.groups)); !slices.Equal(got, want) {
		w.t.Fatalf("the log has groups %q, want %q", got, want)
	}
	return s
}

// pass lets time pass; what is due goes off at its time, by expire.
func (w *world) pass(d time.Duration, expire func()) {
	end := w.now.Add(d)
	for {
		due := w.s.Deadline()
		if due.IsZero() || due.After(end) {
			break
		}
		if due.After(w.now) {
			w.now = due
		}
		expire()
	}
	w.now = end
}

// duration reads a time of a scenario.
func (w *world) duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// scanArgs reads an argument of a scenario's step, if it is there.
func (w *world) scanArgs(d *datadriven.TestData, name string, into ...any) {
	d.MaybeScanArgs(w.t.(*testing.T), name, into...)
}

// said is what a scenario's step prints, "nothing" for nothing.
func (w *world) said() string {
	if w.out.Len() == 0 {
		return "nothing\n"
	}
	return w.out.String()
}

func (w *world) printf(format string, args ...any) { fmt.Fprintf(&w.out, format, args...) }
