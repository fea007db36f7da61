package commitlog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

var unmadeID = kafka.TopicPartition{Topic: "t", Partition: 3}

func newUnmade(f vfs.FS) *Log {
	c := DefaultConfig()
	return New(f, "/", segment.NewCache(8, 1<<20), unmadeID, &c)
}

// TestUnmadeLogTouchesNothing asks an empty log everything that an idle one is asked.
func TestUnmadeLogTouchesNothing(t *testing.T) {
	l := newUnmade(vfs.NewFaulty(vfs.NewMem(), func(o vfs.Op) error { return errors.New("the disk was touched: " + o.String()) }))
	l.AssignEpoch(4, 0)
	_, damaged := l.list.Load().damaged(0)
	if l.Made() || l.LogStartOffset() != 0 || l.LogEndOffset() != 0 || l.Size() != 0 || l.LatestEpoch() != 4 || damaged || l.Dir() != "/t-3" {
		t.Errorf("%d to %d, %d bytes, epoch %d", l.LogStartOffset(), l.LogEndOffset(), l.Size(), l.LatestEpoch())
	}
	if span, err := l.Read(0, 100, 0, true); err != nil || span.Len() != 0 {
		t.Errorf("read: %d bytes, %v", span.Len(), err)
	}
	if _, ok, err := l.OffsetForTimestamp(-7); ok || err != nil {
		t.Errorf("by time: %v, %v", ok, err)
	}
	if _, ok, err := l.MaxTimestampOffset(); ok || err != nil {
		t.Errorf("by greatest time: %v, %v", ok, err)
	}
	if list, err := l.AbortedTxns(0, 10); len(list) != 0 || err != nil {
		t.Errorf("aborted: %v, %v", list, err)
	}
	rolled, rollErr := l.RollAged(testStart)
	removed, retainErr := l.Retain(testStart, 0)
	next, reapErr := l.Reap(testStart)
	point, flushErr := l.Flush()
	if err := errors.Join(rollErr, retainErr, reapErr, flushErr, l.Roll(testStart), l.TruncateTo(0, testStart), l.Checkpointed(0)); err != nil {
		t.Error(err)
	}
	if rolled || removed != 0 || !next.IsZero() || point != 0 {
		t.Errorf("rolled %v, removed %d, reap at %v, recovery point %d", rolled, removed, next, point)
	}
	if err := l.Close(testStart); err != nil {
		t.Error(err)
	}
	if err := l.Make(testStart); !errors.Is(err, ErrClosed) {
		t.Errorf("made after it was closed: %v", err)
	}
}

// TestMakeTriesAgain: a disk that is full at any operation of the first append refuses that append only.
func TestMakeTriesAgain(t *testing.T) {
	for _, kind := range []vfs.OpKind{vfs.OpMkdir, vfs.OpCreate, vfs.OpWrite} {
		disk := vfs.NewMem()
		faulty := vfs.NewFaulty(disk, vfs.FailNth(kind, "", 1, false, vfs.ErrNoSpace))
		l := newUnmade(faulty)
		b := batchOf(t, 0, 1, 0, 0)
		if _, err := l.Append(b, testStart); !errors.Is(err, vfs.ErrNoSpace) || l.Err() != nil || l.LogEndOffset() != 0 {
			t.Errorf("%s: %v, then %v", kind, err, l.Err())
		}
		if _, err := l.Append(b, testStart); err != nil || !l.Made() || l.LogEndOffset() != 1 {
			t.Errorf("%s: the second append: %v", kind, err)
		}
		names, err := disk.List("/t-3")
		if err != nil || !slices.Equal(names, []string{"00000000000000000000.log"}) {
			t.Errorf("%s: %v, %v", kind, names, err)
		}
	}
}

// TestMakeSurvivesCrash cuts the power after each operation of the first append and the flush that follows: what is flushed is there again, and
// nothing is damaged.
func TestMakeSurvivesCrash(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for keep := 0; keep <= 100; keep += 25 {
		for stop := 1; ; stop++ {
			disk := vfs.NewCrash()
			done := 0
			var left *vfs.Mem
			faulty := vfs.NewFaulty(disk, func(o vfs.Op) error {
				if o.Changes() {
					if done++; done == stop {
						left = disk.CrashClone(rng, keep)
					}
				}
				return nil
			})
			l := newUnmade(faulty)
			l.AssignEpoch(2, 0)
			if _, err := l.Append(batchOf(t, 0, 5, 2, 0), testStart); err != nil {
				t.Fatal(err)
			}
			point, err := l.Flush()
			if err != nil {
				t.Fatal(err)
			}
			whole := left == nil
			if whole {
				left = disk.CrashClone(rng, keep)
			} else {
				point = 0
			}
			again, report, err := Open(left, "/t-3", Options{Partition: unmadeID, Config: DefaultConfig(), Cache: segment.NewCache(8, 1<<20), RecoveryPoint: point, Now: testStart})
			if err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("keep %d, operation %d", keep, stop)
			if end := again.LogEndOffset(); len(report.Damage) > 0 || end != 0 && end != 5 || whole && end != 5 {
				t.Errorf("%s: ends at %d, %v", what, end, report.Damage)
			}
			if whole && again.LatestEpoch() != 2 {
				t.Errorf("%s: epoch %d", what, again.LatestEpoch())
			}
			if whole {
				break
			}
		}
	}
}
