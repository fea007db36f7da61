package sim

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/sim/check"
)

// producer is an idempotent producer with acks=all, as clients have it: some batches of each partition are on their way at once, and after a
// failure all that are not acknowledged are sent again, in order.
type producer struct {
	view
	number int
	lines  []*line
}

// line is what a producer sends to one partition.
type line struct {
	p        *producer
	index    int32
	sequence int32
	next     uint32 // of the ids
	made     int    // batches, so far
	queue    []*sending
	holds    bool // a batch failed: those behind it come back first
	resting  bool // until it is tried again
}

// sending is a batch until it is acknowledged.
type sending struct {
	number   int // among those of its line
	sequence int32
	sends    []int // of its records, in the history
	onWay    bool
	ok       bool
}

func newProducer(w *World, number int) *producer {
	p := &producer{view: newView(w, number, topicName, w.plan.partitions), number: number}
	for i := range w.plan.partitions {
		l := &line{p: p, index: i}
		p.lines = append(p.lines, l)
		w.after(w.between(0, 100*time.Millisecond), "", l.produce)
	}
	return p
}

func (p *producer) idle() bool {
	return !slices.ContainsFunc(p.lines, func(l *line) bool { return len(l.queue) > 0 })
}

// produce adds a batch now and then, until the run is over.
func (l *line) produce() {
	w := l.p.w
	if w.over() {
		return
	}
	if len(l.queue) < 20 {
		b := &sending{number: l.made, sequence: l.sequence}
		l.made++
		for range 1 + w.rng.IntN(4) {
			b.sends = append(b.sends, w.history.Invoke(check.Send{
				ID: check.NewID(l.p.number, l.index, l.next), Partition: l.name(), Invoked: w.now,
			}))
			l.next++
			l.sequence++
		}
		l.queue = append(l.queue, b)
	}
	l.pump()
	w.after(w.between(time.Millisecond, 120*time.Millisecond), "", l.produce)
}

func (l *line) name() kafka.TopicPartition {
	return kafka.TopicPartition{Topic: topicName, Partition: l.index}
}

// pump sends what may be sent: nothing that is further from the oldest that is not acknowledged than a server remembers, whichever answers were lost.
func (l *line) pump() {
	onWay := 0
	for _, b := range l.queue {
		if b.onWay {
			onWay++
		}
	}
	if l.resting || l.holds && onWay > 0 {
		return
	}
	l.holds = false
	for _, b := range l.queue {
		if b.onWay || b.ok {
			continue
		}
		if b.number-l.queue[0].number >= l.window() {
			return
		}
		leader, known := l.p.leader(l.index)
		if !known {
			l.rest()
			return
		}
		l.send(b, leader.leader)
	}
}

// window is how many batches may be on their way. The first is alone until it is acknowledged: of a producer that it does not know a server takes any sequence,
// and so the second when it has refused the first for want of replicas, as Kafka does.
func (l *line) window() int {
	if l.queue[0].number == 0 {
		return 1
	}
	return l.p.w.plan.inFlight
}

func (l *line) send(b *sending, to kafka.NodeID) {
	w := l.p.w
	b.onWay = true
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(req.MaxVersion())
	req.Acks, req.TimeoutMillis = -1, 500
	t, part := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	part.Partition, part.Records = l.index, l.batch(b)
	t.TopicID, t.Partitions = l.p.topic, append(t.Partitions, part)
	req.Topics = append(req.Topics, t)
	w.call(l.p.me, int(to), req, callPatience, func(resp kmsg.Response, err error) {
		base := kafka.NoOffset
		if err == nil {
			a := resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
			err, base = kerr.ErrorForCode(a.ErrorCode), kafka.Offset(a.BaseOffset)
		}
		l.answered(b, base, err)
	})
}

// batch builds the records of a batch; whatever is sent again is the same bytes.
func (l *line) batch(b *sending) []byte {
	o := record.NewOptions(0, kafka.NoEpoch)
	o.ProducerID, o.ProducerEpoch, o.BaseSequence = kafka.ProducerID(1000+l.p.number), 0, b.sequence
	var builder record.Builder
	builder.Begin(o)
	for _, i := range b.sends {
		id := l.p.w.history.Sends[i].ID
		builder.Add(begin.UnixMilli(), nil, encode(id))
	}
	batch, err := builder.AppendTo(nil)
	if err != nil {
		l.p.w.fail("a batch can't be built: %v", err)
	}
	return batch
}

func (l *line) answered(b *sending, base kafka.Offset, err error) {
	w := l.p.w
	b.onWay = false
	switch {
	case err == nil, errors.Is(err, kerr.DuplicateSequenceNumber):
		b.ok = true
		for i, send := range b.sends {
			at := kafka.NoOffset
			if err == nil && base != kafka.NoOffset {
				at = base + kafka.Offset(i)
			}
			w.history.OK(send, w.now, at)
		}
		w.tell("producer %d: %v %d+%d is acknowledged at %d", l.p.number, l.name(), b.sequence, len(b.sends), base)
		l.queue = slices.DeleteFunc(l.queue, func(x *sending) bool { return x == b })
	default:
		if !errors.Is(err, errTimeout) && !errors.Is(err, errRefused) && !kerr.IsRetriable(err) && !errors.Is(err, kerr.OutOfOrderSequenceNumber) {
			w.fail("producer %d: %v %d is refused for good: %v", l.p.number, l.name(), b.sequence, err)
			return
		}
		w.sometimes("produce failed")
		w.tell("producer %d: %v %d+%d is not: %v", l.p.number, l.name(), b.sequence, len(b.sends), err)
		l.holds = true
		l.p.refresh()
		l.rest()
		return
	}
	l.pump()
}

// rest pumps a little later.
func (l *line) rest() {
	if l.resting {
		return
	}
	l.resting = true
	l.p.w.after(l.p.w.between(5*time.Millisecond, 50*time.Millisecond), "", func() {
		l.resting = false
		l.pump()
	})
}

// encode writes an id as a record's value, with padding that follows from it.
func encode(id check.ID) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(id))
	for i := range uint64(id) * 7 % 100 {
		b = append(b, byte(uint64(id)*31+i))
	}
	return b
}

// decode reads an id back, and false if the bytes are not those of one.
func decode(value []byte) (check.ID, bool) {
	if len(value) < 8 {
		return 0, false
	}
	id := check.ID(binary.BigEndian.Uint64(value))
	return id, slices.Equal(encode(id), value)
}
