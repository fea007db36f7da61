package partition

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

// lags asks a partition for lag and compares what it says in words.
type lags struct {
	*world
	p *Partition
}

// madeAt builds a batch of n records that are made now, a second apart.
func (l *lags) madeAt(n int, change ...func(*record.Options)) []byte {
	l.t.Helper()
	o := record.NewOptions(0, -1)
	for _, f := range change {
		f(&o)
	}
	var b record.Builder
	b.Begin(o)
	for i := range n {
		b.Add(l.now.UnixMilli()+int64(i)*1000, []byte("key"), []byte("value"))
	}
	out, err := b.AppendTo(nil)
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

func (l *lags) produce(n int) {
	l.t.Helper()
	if _, err := l.append(l.p, l.madeAt(n)); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lags) pass(d time.Duration) { l.now = l.now.Add(d) }

func (l *lags) want(committed kafka.Offset, want string) {
	l.t.Helper()
	l.ask(kafka.LagQuestion{Committed: committed}, kafka.HighWatermark, want)
}

func (l *lags) ask(q kafka.LagQuestion, isolation kafka.Isolation, want string) {
	l.t.Helper()
	lag, err := l.p.Lag(q, isolation, l.now)
	if err != nil {
		l.t.Fatal(err)
	}
	standing := map[kafka.LagStanding]string{kafka.LagBelowStart: "below start: ", kafka.LagBeyondEnd: "beyond end: ", kafka.LagOtherTopic: "other topic: "}
	atMost := ""
	if !lag.Exact {
		atMost = "at most "
	}
	got := fmt.Sprintf("%s%s%d records, first %d, %v", standing[lag.Standing], atMost, lag.Records, lag.First, time.Duration(lag.Age)*time.Millisecond)
	if got != want {
		l.t.Errorf("behind %d: %s; want %s", q.Committed, got, want)
	}
}

func newLags(t *testing.T, config func(*Config)) *lags {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.config = func(c *Config) {
		c.TimestampAfter = -1
		if config != nil {
			config(c)
		}
	}
	w.create("t", 1)
	return &lags{w, w.get("t", 0)}
}

func TestLagOfAnIdleTopic(t *testing.T) {
	l := newLags(t, nil)
	l.want(0, "0 records, first -1, 0s")
	l.produce(3) // made at 0 s, 1 s and 2 s
	l.pass(time.Hour)
	l.want(3, "0 records, first -1, 0s")
	l.pass(100 * time.Hour) // caught up for long is caught up
	l.want(3, "0 records, first -1, 0s")
	l.want(2, "1 records, first 2, 100h59m58s")
	l.want(0, "3 records, first 0, 101h0m0s")
}

// The pause before a burst is nobody's lag.
func TestLagOfABurst(t *testing.T) {
	l := newLags(t, nil)
	l.produce(2)
	l.pass(10 * time.Hour)
	l.produce(100)
	l.produce(100)
	l.pass(5 * time.Second)
	l.want(2, "200 records, first 2, 5s")
	l.want(5, "197 records, first 5, 2s")
	l.want(102, "100 records, first 102, 5s")
	l.want(1, "201 records, first 1, 10h0m4s")
}

// A producer's clock that is ahead makes no lag below zero, and a record without a time none that is known.
func TestLagByOtherClocks(t *testing.T) {
	l := newLags(t, nil)
	l.produce(10)
	l.want(0, "10 records, first 0, 0s")
	l.want(9, "1 records, first 9, 0s")
	var b record.Builder
	b.Begin(record.NewOptions(0, -1))
	b.Add(kafka.NoTimestamp, nil, []byte("timeless"))
	timeless, err := b.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	follow(t, l.p, timeless)
	l.pass(time.Minute)
	l.want(10, "1 records, first 10, -1ms")

	l.configure("t", "message.timestamp.type", "LogAppendTime")
	if _, err := l.append(l.p, data(t, 2)); err != nil { // made long ago, appended now
		t.Fatal(err)
	}
	l.pass(time.Second)
	l.want(11, "2 records, first 11, 1s")
	l.want(12, "1 records, first 12, 1s")
}

// Retention and DeleteRecords move the start; a log that lost its end, or a topic of another life, is read from its start.
func TestLagOfOffsetsThatTheLogDoesNotHave(t *testing.T) {
	l := newLags(t, nil)
	l.produce(5)
	l.pass(time.Minute)
	l.produce(5)
	l.pass(time.Minute)
	l.want(11, "beyond end: 10 records, first 0, 2m0s")
	l.want(4_000_000_000, "beyond end: 10 records, first 0, 2m0s")
	if _, err := l.p.DeleteRecords(7); err != nil {
		t.Fatal(err)
	}
	l.want(3, "below start: 3 records, first 7, 58s")
	l.want(7, "3 records, first 7, 58s")
	l.want(11, "beyond end: 3 records, first 7, 58s")
	l.ask(kafka.LagQuestion{Topic: l.p.TopicID(), Committed: 9}, kafka.HighWatermark, "1 records, first 9, 56s")
	l.ask(kafka.LagQuestion{Topic: kafka.TopicID{1}, Committed: 9}, kafka.HighWatermark, "other topic: 3 records, first 7, 58s")
	if _, err := l.p.DeleteRecords(10); err != nil {
		t.Fatal(err)
	}
	l.want(3, "below start: 0 records, first -1, 0s")
}

// What compaction took away is not counted, and holes at the end are nothing to wait for.
func TestLagOfACompactedTopic(t *testing.T) {
	l := newLags(t, nil)
	l.pass(time.Minute)
	hole := func(base kafka.Offset, last int32, deltas ...int32) {
		t.Helper()
		var b record.Builder
		b.Begin(record.NewOptions(base, 0))
		for _, d := range deltas {
			b.AddAt(d, l.now.UnixMilli()-int64(60-d)*1000, []byte("key"), []byte("value"))
		}
		out, err := b.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		binary.BigEndian.PutUint32(out[23:], uint32(last)) // the last offset delta stays when the last records go
		binary.BigEndian.PutUint32(out[17:], record.Batch(out).ComputeCRC())
		l.p.mu.Lock()
		defer l.p.mu.Unlock()
		if err := l.p.ensureFolder(l.now); err != nil {
			t.Fatal(err)
		}
		appended, err := l.p.log().Append(out, l.now)
		if err != nil {
			t.Fatal(err)
		}
		l.p.core.Appended(time.Time{}, appended.End)
		l.p.publish()
	}
	hole(0, 9, 1, 7) // 1 and 7 are left of 0 to 9
	hole(20, 9, 5)   // 25 of 20 to 29
	hole(40, 9)      // nothing of 40 to 49
	l.want(0, "3 records, first 1, 59s")
	l.want(2, "2 records, first 7, 53s")
	l.want(8, "1 records, first 25, 55s")
	l.want(15, "1 records, first 25, 55s")
	l.want(26, "0 records, first -1, 0s")
	l.want(45, "0 records, first -1, 0s")
	l.want(50, "0 records, first -1, 0s")
}

func TestLagOfTransactions(t *testing.T) {
	l := newLags(t, nil)
	follow(t, l.p,
		l.madeAt(2, inTxn(1, 0)), // 0 to 1
		marker(1, record.Commit), // 2
		l.madeAt(2),              // 3 to 4
		l.madeAt(2, inTxn(2, 0)), // 5 to 6, open
		l.madeAt(1),              // 7
	)
	l.pass(time.Minute)
	committed := func(offset kafka.Offset, want string) {
		t.Helper()
		l.ask(kafka.LagQuestion{Committed: offset}, kafka.Committed, want)
	}
	committed(0, "4 records, first 0, 1m0s")
	committed(2, "2 records, first 3, 1m0s")
	committed(5, "0 records, first -1, 0s")
	committed(8, "0 records, first -1, 0s") // who reads everything is not beyond the end of those who don't
	l.want(2, "5 records, first 3, 1m0s")
	l.want(7, "1 records, first 7, 1m0s")
	follow(t, l.p, marker(2, record.Commit)) // 8
	l.want(8, "0 records, first -1, 0s")     // a marker is no record
	committed(8, "0 records, first -1, 0s")
}

// Far behind, what is not looked at is reckoned by offsets; the time needs the first record only.
func TestLagIsBounded(t *testing.T) {
	l := newLags(t, func(c *Config) { c.Log.SegmentBytes = 1000 })
	for range 100 {
		l.produce(2)
		l.pass(time.Second)
	}
	l.want(0, "at most 200 records, first 0, 1m40s")
	l.want(100, "100 records, first 100, 50s")
}

func TestLagNeedsTheLeader(t *testing.T) {
	l := newLags(t, nil)
	l.apply(&schema.PartitionChangeRecord{TopicID: topicID("t"), PartitionID: 0, Leader: -1})
	if _, err := l.p.Lag(kafka.LagQuestion{}, kafka.HighWatermark, l.now); !errors.Is(err, kerr.NotLeaderForPartition) {
		t.Errorf("a follower says %v", err)
	}
}
