package coordinator

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

var alone = []int32{1}

func TestServesAndLoads(t *testing.T) {
	bubble(t, alone, func(w *world) {
		w.ask(list{}, "none")
		w.ask(add{{"a", "1"}, {"b", "2"}}, "2")
		w.ask(add{{"a", ""}}, "3")
		w.ask(list{}, "0:a=1 1:b=2 2:a=")
		w.r.Stop()
		w.ask(list{}, "COORDINATOR_NOT_AVAILABLE")
		w.reopen()
		w.ask(list{}, "0:a=1 1:b=2 2:a=")
		w.ask(add{{"c", "3"}}, "4")
	})
}

// What comes while the loop is busy is appended together, a turn whole.
func TestTurnsShareABatch(t *testing.T) {
	bubble(t, alone, func(w *world) {
		busy := hold{make(chan int)}
		held := w.submit(busy)
		held.is("")
		first, second := w.submit(add{{"a", "1"}, {"b", "1"}}), w.submit(add{{"c", "1"}})
		close(busy.until)
		held.is("held")
		first.is("2")
		second.is("3")
		w.ask(add{{"d", "1"}}, "4")
		if got := w.batches(); got != "0+3 3+1" {
			t.Errorf("batches %s", got)
		}
	})
}

func TestBatchesAreBounded(t *testing.T) {
	bubble(t, alone, func(w *world) {
		busy := hold{make(chan int)}
		held := w.submit(busy)
		held.is("")
		var all []*asked
		for range 5 {
			all = append(all, w.submit(add(repeated(4, note{"a", long(100 << 10)}))))
		}
		close(busy.until)
		held.is("held")
		for i, a := range all {
			a.is([]string{"4", "8", "12", "16", "20"}[i])
		}
		if got := w.batches(); got != "0+8 8+8 16+4" {
			t.Errorf("batches %s", got)
		}
		w.ask(cut(repeated(15, note{"a", long(100 << 10)})), "35")
		if got := w.batches(); got != "0+8 8+8 16+4 20+10 30+5" {
			t.Errorf("batches %s", got)
		}
	})
}

// A turn that fits in no batch costs its own answer and a load; what was decided before it stands.
func TestTurnTooLarge(t *testing.T) {
	bubble(t, alone, func(w *world) {
		waiting := w.submit(await{time.Hour})
		busy := hold{make(chan int)}
		held := w.submit(busy)
		held.is("")
		before := w.submit(add{{"a", "1"}})
		huge := w.submit(add(repeated(11, note{"b", long(100 << 10)})))
		after := w.submit(add{{"c", "1"}})
		close(busy.until)
		held.is("held")
		before.is("1")
		huge.is("UNKNOWN_SERVER_ERROR")
		waiting.is("NOT_COORDINATOR")
		after.is("COORDINATOR_LOAD_IN_PROGRESS")
		w.pass(pause)
		w.ask(list{}, "0:a=1")
		w.ask(add{{"c", "1"}}, "2")
		if w.loads != 2 {
			t.Errorf("%d loads", w.loads)
		}
	})
}

func TestCoreThatContradictsItselfIsLoadedAnew(t *testing.T) {
	bubble(t, alone, func(w *world) {
		w.ask(add{{"a", "1"}}, "1")
		w.ask(add{{"b", "1"}, {"contradiction", "1"}}, "UNKNOWN_SERVER_ERROR")
		w.pass(pause)
		w.ask(list{}, "0:a=1")
	})
}

// While other replicas lag nothing is answered that depends on what they do not have.
func TestRepliesWaitForTheHighWatermark(t *testing.T) {
	bubble(t, []int32{1, 2}, func(w *world) {
		first := w.submit(add{{"a", "1"}})
		first.is("")
		second, seen := w.submit(add{{"b", "1"}}), w.submit(list{})
		second.is("")
		seen.is("")
		w.isr(1)
		first.is("1")
		second.is("2")
		seen.is("0:a=1 1:b=1")
		w.ask(add{{"c", "1"}}, "3")
	})
}

func TestReplicasThatTakeTooLong(t *testing.T) {
	bubble(t, []int32{1, 2}, func(w *world) {
		first := w.submit(add{{"a", "1"}})
		w.pass(4 * time.Second)
		first.is("")
		second := w.submit(add{{"b", "1"}})
		w.pass(time.Second)
		first.is("COORDINATOR_NOT_AVAILABLE")
		second.is("")
		w.isr(1)
		second.is("2")
		w.ask(list{}, "0:a=1 1:b=1")
	})
}

// What a new leader has loaded may not be committed yet: who reads it waits.
func TestLoadedAboveTheHighWatermark(t *testing.T) {
	bubble(t, []int32{1, 2}, func(w *world) {
		w.submit(add{{"a", "1"}}).is("")
		w.lead(1)
		seen := w.submit(list{})
		seen.is("")
		w.isr(1)
		seen.is("0:a=1")
	})
}

func TestLeadershipEnds(t *testing.T) {
	bubble(t, []int32{1, 2}, func(w *world) {
		waiting, written := w.submit(await{time.Hour}), w.submit(add{{"a", "1"}})
		written.is("")
		w.lead(2)
		waiting.is("NOT_COORDINATOR")
		written.is("NOT_COORDINATOR")
		w.ask(list{}, "NOT_COORDINATOR")
		if led := w.r.Led(); len(led) != 0 {
			t.Errorf("leads %v", led)
		}
		w.isr(1)
		w.lead(1)
		w.ask(list{}, "0:a=1")
		w.apply(&schema.RemoveTopicRecord{TopicID: topicID})
		w.ask(list{}, "NOT_COORDINATOR")
	})
}

// An append that fails leaves nothing behind in the core, and one failure does not stop the coordinator.
func TestFailedAppend(t *testing.T) {
	fs := vfs.NewFaulty(vfs.NewMem(), nil)
	bubbleOn(t, fs, alone, func(w *world) {
		waiting := w.submit(await{time.Hour})
		w.ask(add{{"a", "1"}}, "1")
		fs.SetHook(vfs.FailNth(vfs.OpWrite, ".log", 1, false, vfs.ErrNoSpace))
		w.ask(add{{"b", "1"}}, "NOT_COORDINATOR")
		waiting.is("NOT_COORDINATOR")
		w.pass(pause)
		w.ask(list{}, "0:a=1")
		w.ask(add{{"c", "1"}}, "2")
	})
}

// Somebody else's records in between would be missing in the core.
func TestForeignRecords(t *testing.T) {
	bubble(t, alone, func(w *world) {
		w.write(plain, note{"x", "1"})
		w.ask(add{{"a", "1"}}, "UNKNOWN_SERVER_ERROR")
		w.pass(pause)
		w.ask(list{}, "0:x=1 1:a=1")
	})
}

func TestDeadlines(t *testing.T) {
	bubble(t, alone, func(w *world) {
		a := w.submit(await{time.Minute})
		a.is("")
		w.pass(time.Minute)
		a.is("expired")
		w.pass(time.Hour)
		if w.expiries != 1 {
			t.Errorf("expired %d times", w.expiries)
		}
	})
}

func TestRefresh(t *testing.T) {
	bubble(t, alone, func(w *world) {
		w.apply(&schema.TopicRecord{Name: "other", TopicID: kafka.UUID{0: 0x71}})
		w.ask(list{}, "none")
		if n := len(w.images); n != 2 || w.images[1] != w.image {
			t.Errorf("%d images", n)
		}
	})
}

func TestStopAnswersEverybody(t *testing.T) {
	bubble(t, []int32{1, 2}, func(w *world) {
		all := []*asked{w.submit(await{time.Hour}), w.submit(add{{"a", "1"}}), w.submit(list{})}
		all[0].is("")
		w.r.Stop()
		for _, a := range all {
			a.is("NOT_COORDINATOR")
		}
		w.ask(list{}, "COORDINATOR_NOT_AVAILABLE")
	})
}

func TestWhileLoading(t *testing.T) {
	bubble(t, alone, func(w *world) {
		w.ask(add{{"a", "1"}}, "1")
		w.r.Stop()
		busy := make(chan int)
		w.parsing = func() { <-busy }
		w.reopen()
		w.ask(list{}, "COORDINATOR_LOAD_IN_PROGRESS")
		close(busy)
		w.ask(list{}, "COORDINATOR_LOAD_IN_PROGRESS")
		w.ask(list{}, "0:a=1")
	})
}

func TestStopWhileLoading(t *testing.T) {
	bubble(t, alone, func(w *world) {
		w.ask(add(repeated(20, note{"a", long(100)})), "20")
		w.ask(add(repeated(20, note{"a", long(100)})), "40")
		w.r.Stop()
		loads, busy := w.loads, make(chan int)
		w.parsing = func() { <-busy }
		w.reopen()
		stopped := make(chan int)
		go func() { defer close(stopped); w.r.Stop() }()
		synctest.Wait()
		w.ask(list{}, "COORDINATOR_NOT_AVAILABLE")
		close(busy)
		<-stopped
		if w.loads != loads {
			t.Error("it was loaded all the same")
		}
	})
}

// Of the records of transactions those that are committed count, at the moment of their end.
func TestTransactions(t *testing.T) {
	bubble(t, alone, func(w *world) {
		of := func(id kafka.ProducerID) func(*record.Options) {
			return func(o *record.Options) {
				o.Transactional, o.ProducerID, o.ProducerEpoch, o.BaseSequence = true, id, 0, 0
			}
		}
		end := func(id kafka.ProducerID, how record.ControlType) {
			w.appendRaw(record.AppendEndTxnMarker(nil, 0, 0, time.Now().UnixMilli(), id, 0, how, 0))
		}
		w.write(of(7), note{"committed", "1"})
		w.write(of(8), note{"aborted", "1"})
		w.write(plain, note{"plain", "1"})
		end(8, record.Abort)
		end(7, record.Commit)
		w.write(of(9), note{"open", "1"})
		w.r.Stop()
		w.reopen()
		w.ask(list{}, "2:plain=1 0:committed=1")
	})
}

// Records of a newer release are passed over; damaged ones keep the partition from being served.
func TestRecordsThatAreNotKnown(t *testing.T) {
	bubble(t, alone, func(w *world) {
		w.write(plain, note{"newer", "1"}, note{"a", "1"})
		w.r.Stop()
		w.reopen()
		w.ask(list{}, "1:a=1")
		w.write(plain, note{"damaged", "1"})
		w.r.Stop()
		w.reopen()
		w.ask(list{}, "NOT_COORDINATOR")
	})
}

func TestCompressedBatches(t *testing.T) {
	bubble(t, alone, func(w *world) {
		w.write(func(o *record.Options) { o.Codec = 4 }, repeated(100, note{"a", long(1000)})...)
		w.r.Stop()
		w.reopen()
		w.ask(add{{"b", "1"}}, "101")
	})
}

func TestPartitionFor(t *testing.T) {
	for key, want := range map[string]int32{
		// Java's hashes are 0, 97, 3556498, -609221899, 1772899 and the least that there is.
		"": 0, "a": 47, "test": 48, "ünïcödé": 49, "😀": 49, "polygenelubricants": 0,
	} {
		if got := PartitionFor(key, 50); got != want {
			t.Errorf("%q belongs to %d, not %d", key, got, want)
		}
	}
}
