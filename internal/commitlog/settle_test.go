package commitlog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// TestSettle closes logs of several segments in both ways: what they leave is the same, and a settled one syncs
// nothing.
func TestSettle(t *testing.T) {
	var syncs []string
	left := make([]string, 2)
	for i := range left {
		disk := vfs.NewMem()
		hook := func(o vfs.Op) error {
			if o.Kind == vfs.OpSync || o.Kind == vfs.OpSyncDir {
				syncs = append(syncs, o.String())
			}
			return nil
		}
		faulty := vfs.NewFaulty(disk, nil)
		l, _ := openTest(t, faulty, options(small()))
		fill(t, l, 40, 3)
		abortTxn(t, l, 3) // the transaction index of a finished segment
		fill(t, l, 60, 3)
		abortTxn(t, l, 3) // and that of the active one
		l.AssignEpoch(4, l.LogEndOffset())
		faulty.SetHook(hook)
		syncs = nil
		if i == 1 {
			must(t, l.Settle(testStart))
			if len(syncs) > 0 || l.Unsettled() {
				t.Errorf("settling synced %v", syncs)
			}
			must(t, l.Settle(testStart))
		}
		must(t, l.Close(testStart))
		if i == 1 && len(syncs) > 0 {
			t.Errorf("%d segments, synced %v", segments(l), syncs)
		}
		if l.RecoveryPoint() != l.LogEndOffset() {
			t.Errorf("recovery point %d", l.RecoveryPoint())
		}
		names, err := disk.List(l.Dir())
		must(t, err)
		for _, name := range names {
			b, err := vfs.ReadFile(disk, l.Dir()+"/"+name)
			must(t, err)
			left[i] += fmt.Sprintf("%s %x\n", name, b)
		}
	}
	if n := strings.Count(left[0], segment.TxnIndexSuffix+" "); n != 2 {
		t.Errorf("%d transaction indexes", n)
	}
	if left[0] != left[1] {
		t.Errorf("closed:\n%s\nsettled and closed:\n%s", left[0], left[1])
	}
}

// abortTxn appends a transaction of one batch and its abort.
func abortTxn(t *testing.T, l *Log, epoch kafka.LeaderEpoch) {
	t.Helper()
	appendTxn(t, l, 3, epoch)
	appendTxn(t, l, 5, epoch)
}

// TestSettleSurvivesCrash cuts the power after each operation on the way from a flushed log to a closed one: what was
// flushed is there again and nothing is damaged, and after a clean end so is all else, without a look at the batches.
func TestSettleSurvivesCrash(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for keep := 0; keep <= 100; keep += 20 {
		for stop := 1; ; stop++ {
			disk := vfs.NewCrash()
			faulty := vfs.NewFaulty(disk, nil)
			l, _ := openTest(t, faulty, options(small()))
			fill(t, l, 25, 3)
			first := l.LogEndOffset()
			point, err := l.Flush()
			must(t, err)
			fill(t, l, 38, 5)
			abortTxn(t, l, 5)
			aborted, err := l.AbortedTxns(0, l.LogEndOffset())
			must(t, err)
			whole := l.LogEndOffset()
			done, clean := 0, true
			left := disk
			faulty.SetHook(func(o vfs.Op) error {
				if o.Changes() {
					if done++; done == stop {
						left, clean = disk.CrashClone(rng, keep), false
					}
				}
				return nil
			})
			must(t, l.Settle(testStart))
			disks, err := faulty.Whole("/")
			must(t, err)
			must(t, disks.Sync())
			must(t, l.Close(testStart))
			if clean {
				left, point = disk.CrashClone(rng, keep), l.RecoveryPoint()
			}
			o := options(small())
			o.Clean, o.RecoveryPoint = clean, point
			again, report := openTest(t, left, o)
			what := fmt.Sprintf("keep %d, operation %d", keep, stop)
			end := again.LogEndOffset()
			if len(report.Damage) > 0 || end < point || end > whole || clean && (end != whole || report.ScannedBytes > 0) {
				t.Errorf("%s: %d to %d, flushed up to %d, %+v", what, again.LogStartOffset(), end, point, report)
			}
			if epoch, at := again.EpochEndOffset(3); epoch != 3 || at != min(end, first) {
				t.Errorf("%s: epoch 3 ends at %d", what, at)
			}
			if clean {
				found, err := again.AbortedTxns(0, end)
				must(t, err)
				if len(aborted) != 1 || !slices.Equal(found, aborted) {
					t.Errorf("%s: aborted %v, want %v", what, found, aborted)
				}
				break
			}
		}
	}
}
