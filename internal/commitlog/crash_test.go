package commitlog

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producer"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// crashTest runs random operations on a log whose disk can be cut off at any moment. Before each operation of the file system that changes anything it opens
// what a power cut would leave, keeping none, some or all of what was not synced, and compares that with the model.
type crashTest struct {
	t     *testing.T
	seed  uint64
	rng   *rand.Rand // decides what happens
	cut   *rand.Rand // decides what a crash keeps
	disk  *vfs.Mem
	log   *Log
	epoch kafka.LeaderEpoch
	now   time.Time
	clean bool // the log is closed, and so marked

	batches []record.Batch // what is in the log, or was before retention
	writing []record.Batch // what an append is about to add
	kept    int            // how many batches a truncation in progress leaves; else all
	durable kafka.Offset   // what was flushed
	point   kafka.Offset   // recovery point checkpoint
	start   kafka.Offset   // log start offset checkpoint
	restart kafka.Offset   // where a full truncation in progress starts the log

	points int
}

var (
	crashSeed  = flag.Uint64("seed", 0, "first seed of TestCrashes")
	crashSeeds = flag.Uint64("seeds", 4, "number of seeds of TestCrashes")
)

// TestCrashes takes a few seconds; with -seeds=1000 it is a test for the night. A failure names its seed: -seed=N -seeds=1.
func TestCrashes(t *testing.T) {
	points := 0
	for seed := range *crashSeeds {
		points += runCrashTest(t, *crashSeed+seed, 60)
	}
	t.Logf("%d crashes", points)
}

func runCrashTest(t *testing.T, seed uint64, steps int) int {
	c := &crashTest{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), cut: rand.New(rand.NewPCG(seed, 2)), disk: vfs.NewCrash(), now: testStart}
	must(t, vfs.MkdirAll(c.disk, "/d"))
	c.kept = -1
	c.open()
	for range steps {
		c.step()
	}
	return c.points
}

func (c *crashTest) options() Options {
	cfg := small()
	cfg.RetentionAge, cfg.RetentionBytes = -1, 4000
	o := options(cfg)
	o.RecoveryPoint, o.LogStartOffset, o.Clean, o.Now = c.point, c.start, c.clean, c.now
	return o
}

func (c *crashTest) open() {
	f := vfs.NewFaulty(c.disk, func(o vfs.Op) error {
		if o.Changes() {
			c.crash(o)
		}
		return nil
	})
	var err error
	c.log, _, err = Open(f, "/d/t-0", c.options())
	must(c.t, err)
	c.clean = false
}

func (c *crashTest) step() {
	switch n := c.rng.IntN(20); {
	case n < 10:
		c.append()
	case n < 13:
		_, err := c.log.Flush()
		must(c.t, err)
		c.flushed()
	case n < 14:
		c.point = c.log.RecoveryPoint()
		must(c.t, c.log.Checkpointed(c.point))
	case n < 15:
		must(c.t, c.log.Roll(c.now))
	case n < 17:
		c.truncate()
	case n == 17 && c.rng.IntN(3) == 0:
		c.startOver()
	case n < 18:
		c.epoch++
		c.log.AssignEpoch(c.epoch, c.log.LogEndOffset())
	case n < 19:
		_, err := c.log.Retain(c.now, c.log.LogEndOffset())
		must(c.t, err)
		if c.rng.IntN(2) == 0 {
			c.start = c.log.LogStartOffset()
		}
		_, err = c.log.Reap(c.now.Add(-time.Duration(c.rng.IntN(3)) * time.Second))
		must(c.t, err)
	default:
		c.reopen()
	}
	c.now = c.now.Add(time.Second)
}

func (c *crashTest) flushed() {
	c.durable = c.log.RecoveryPoint()
	if c.durable != c.end() {
		c.t.Fatalf("seed %d: flushed to %d, the log ends at %d", c.seed, c.durable, c.end())
	}
}

func (c *crashTest) end() kafka.Offset {
	if len(c.batches) == 0 {
		return c.log.LogStartOffset()
	}
	return c.batches[len(c.batches)-1].NextOffset()
}

func (c *crashTest) append() {
	var b []byte
	at := c.log.LogEndOffset()
	for range c.rng.IntN(3) + 1 {
		batch := c.batch(at)
		c.writing = append(c.writing, batch)
		b = append(b, batch...)
		at = batch.NextOffset()
	}
	_, err := c.log.Append(b, c.now)
	must(c.t, err)
	c.batches, c.writing = append(c.batches, c.writing...), nil
}

func (c *crashTest) batch(at kafka.Offset) record.Batch {
	var b record.Builder
	o := record.NewOptions(at, c.epoch)
	if c.rng.IntN(2) == 0 {
		o.ProducerID, o.ProducerEpoch, o.BaseSequence = kafka.ProducerID(c.rng.IntN(3)), 0, int32(at)
	}
	b.Begin(o)
	for range c.rng.IntN(3) + 1 {
		b.Add(c.now.UnixMilli()+int64(c.rng.IntN(2000)-1000), nil, bytes.Repeat([]byte{byte(at)}, c.rng.IntN(200)))
	}
	out, err := b.AppendTo(nil)
	must(c.t, err)
	return record.Batch(out)
}

func (c *crashTest) truncate() {
	if len(c.batches) == 0 {
		return
	}
	keep := max(0, len(c.batches)-1-c.rng.IntN(8))
	to := c.batches[keep].BaseOffset()
	if to < c.log.LogStartOffset() {
		return
	}
	c.kept = keep
	must(c.t, c.log.TruncateTo(to, c.now))
	c.batches, c.kept = c.batches[:keep], -1
	c.durable = min(c.durable, to)
	c.epoch++ // whoever writes next does so in an epoch of its own
}

// startOver is what a follower does that has fallen behind its leader's log start.
func (c *crashTest) startOver() {
	c.restart = c.log.LogEndOffset() + kafka.Offset(c.rng.IntN(5))
	if len(c.batches) > 0 {
		c.kept = 0
	}
	c.durable = 0
	must(c.t, c.log.TruncateFullyAndStartAt(c.restart, c.now))
	c.batches, c.kept, c.durable, c.start = nil, -1, c.restart, c.restart
	c.epoch++
}

func (c *crashTest) reopen() {
	if c.rng.IntN(2) == 0 {
		must(c.t, c.log.Close(c.now))
		c.clean, c.durable, c.point = true, c.end(), c.log.RecoveryPoint()
	} else {
		c.log.Abandon()
	}
	c.open()
}

// crash checks what a power cut before o would leave.
func (c *crashTest) crash(o vfs.Op) {
	for _, kind := range []struct {
		keep    int
		written bool // a process that died leaves all; recovery may know that
	}{{0, false}, {50, false}, {100, false}, {100, true}} {
		keep := kind.keep
		c.points++
		disk := c.disk.CrashClone(c.cut, keep)
		where := fmt.Sprintf("seed %d, before %s, keeping %d %%, written %v", c.seed, o, keep, kind.written)
		opt := c.options()
		opt.Written = kind.written
		opt.Clean = false // the mark is taken away before anything is opened
		l, report, err := Open(disk, "/d/t-0", opt)
		if err != nil {
			c.t.Fatalf("%s: %v", where, err)
		}
		if report.Damage != nil || report.Odd != nil {
			c.t.Fatalf("%s: damage %v, odd %v", where, report.Damage, report.Odd)
		}
		c.compare(l, keep, where)
		end := l.LogEndOffset()
		must(c.t, l.Close(c.now))
		opt.Clean, opt.RecoveryPoint = true, l.RecoveryPoint()
		l, report, err = Open(disk, "/d/t-0", opt)
		if err != nil || report.ScannedBytes != 0 || l.LogEndOffset() != end {
			c.t.Fatalf("%s, and closed: %v, %+v, end %d of %d", where, err, report, l.LogEndOffset(), end)
		}
		c.compare(l, keep, where+", and closed")
	}
}

// compare checks that l has all it must and nothing that it must not.
func (c *crashTest) compare(l *Log, keep int, where string) {
	most := append(append([]record.Batch(nil), c.batches...), c.writing...)
	least := c.durable
	if keep == 100 && c.log != nil {
		least = c.end()
	}
	if c.restart > 0 && c.durable == 0 {
		least = 0
	}
	if c.kept >= 0 {
		least = min(least, c.batches[c.kept].BaseOffset())
	}
	if c.log != nil && l.LogStartOffset() > max(c.log.LogStartOffset(), c.start, c.restart) {
		c.t.Fatalf("%s: starts at %d", where, l.LogStartOffset())
	}
	if l.LogEndOffset() < least {
		c.t.Fatalf("%s: ends at %d, %d was durable", where, l.LogEndOffset(), least)
	}
	var want []byte
	var producers producer.State
	for _, b := range most {
		if b.NextOffset() > l.LogEndOffset() {
			break
		}
		if b.BaseOffset() >= l.LogStartOffset() {
			want = append(want, b...)
			if e := l.EpochAt(b.BaseOffset()); e != b.LeaderEpoch() {
				c.t.Fatalf("%s: epoch of %d is %d, want %d", where, b.BaseOffset(), e, b.LeaderEpoch())
			}
		}
		producers.Replay(b)
	}
	got, err := readLog(l, l.LogStartOffset(), 700)
	if err != nil || !bytes.Equal(got, want) {
		c.t.Fatalf("%s: %d bytes of %d, start %d end %d: %v", where, len(got), len(want), l.LogStartOffset(), l.LogEndOffset(), err)
	}
	if l.LogStartOffset() == 0 && !bytes.Equal(producers.AppendSnapshot(nil), l.Producers().AppendSnapshot(nil)) {
		c.t.Fatalf("%s: the producers are not those of the batches", where)
	}
}
