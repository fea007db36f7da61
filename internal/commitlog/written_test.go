package commitlog

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producer"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// A process that died in the middle of a write leaves a beginning of it. Whatever the length, recovery by headers finds the same log as a full scan: the
// batches that are whole, with their epochs and producers, and not a byte more.
func TestTornLastWrite(t *testing.T) {
	disk := vfs.NewMem()
	l, _ := openTest(t, disk, options(small()))
	fill(t, l, 30, 1)
	point, err := l.Flush()
	must(t, err)
	fill(t, l, 60, 2)
	before, start := l.Size(), l.LogEndOffset()
	last := append(producerBatch(t, start, 3), producerBatch(t, start+1, 3)...)
	_, err = l.Append(last, testStart)
	must(t, err)
	v := l.list.Load()
	name := "/t-0/" + segment.FileName(v.active().Base(), segment.LogSuffix)
	whole, err := vfs.ReadFile(disk, name)
	must(t, err)
	l.Abandon()
	for torn := range len(last) + 1 {
		must(t, vfs.WriteFile(disk, name, whole[:len(whole)-torn]))
		var got, want string
		for _, written := range []bool{true, false} {
			must(t, vfs.WriteFile(disk, name, whole[:len(whole)-torn]))
			o := options(small())
			o.RecoveryPoint, o.Written = point, written
			l, report := openTest(t, disk, o)
			if report.Odd != nil || report.Damage != nil || report.LostBytes >= int64(len(last)) && torn < len(last) {
				t.Fatalf("%d bytes short, written %v: %+v", torn, written, report)
			}
			if torn == 0 && l.Size() != before+int64(len(last)) || torn == len(last) && l.Size() != before {
				t.Fatalf("%d bytes short, written %v: %d bytes", torn, written, l.Size())
			}
			got, want = describe(t, l), got
			l.Abandon()
		}
		if got != want {
			t.Fatalf("%d bytes short: by headers\n%s\nby all bytes\n%s", torn, want, got)
		}
	}
}

// What no dying process leaves is cut off as by a scan of everything, file and all, wherever it is: nothing that follows it is taken, and it does not come
// back.
func TestOddLogsAreCut(t *testing.T) {
	disk := vfs.NewMem()
	l, _ := openTest(t, disk, options(small()))
	fill(t, l, 30, 1)
	point, err := l.Flush()
	must(t, err)
	fill(t, l, 60, 1)
	files := map[string][]byte{}
	for _, s := range l.list.Load().segments {
		if s.Base() < point {
			continue
		}
		name := "/t-0/" + segment.FileName(s.Base(), segment.LogSuffix)
		files[name], err = vfs.ReadFile(disk, name)
		must(t, err)
	}
	l.Abandon()
	cut := 0
	for name, b := range files {
		for _, at := range []int{record.HeaderSize + 5, 16, len(b) / 2, len(b) - 1} {
			spoilt := slices.Clone(b)
			spoilt[at] ^= 1
			var said [2]string
			for i, written := range []bool{true, false} {
				again := copyOf(t, disk)
				must(t, vfs.WriteFile(again, name, spoilt))
				o := options(small())
				o.RecoveryPoint, o.Written = point, written
				l, report := openTest(t, again, o)
				said[i] = fmt.Sprintf("cut %v, damage %v, %s", report.Cut != nil, report.Damage, describe(t, l))
				if report.Cut != nil {
					cut++
				}
				l.Abandon()
				o.Written, o.RecoveryPoint = false, 0
				l, _ = openTest(t, again, o)
				if now := describe(t, l); report.Cut != nil && !strings.HasSuffix(said[i], now) {
					t.Errorf("%s spoilt at %d, written %v: %s\nand opened again: %s", name, at, written, said[i], now)
				}
				l.Abandon()
			}
			if said[0] != said[1] {
				t.Errorf("%s spoilt at %d, by headers first: %s\nby all bytes: %s", name, at, said[0], said[1])
			}
		}
	}
	if cut == 0 {
		t.Error("nothing was cut")
	}
}

func copyOf(t *testing.T, disk *vfs.Mem) *vfs.Mem {
	t.Helper()
	to := vfs.NewMem()
	must(t, to.Mkdir("/t-0"))
	names, err := disk.List("/t-0")
	must(t, err)
	for _, name := range names {
		b, err := vfs.ReadFile(disk, "/t-0/"+name)
		must(t, err)
		must(t, vfs.WriteFile(to, "/t-0/"+name, b))
	}
	return to
}

func describe(t *testing.T, l *Log) string {
	t.Helper()
	return fmt.Sprintf("end %d, size %d, epochs %v, producers %x, records %x",
		l.LogEndOffset(), l.Size(), *l.epochs.Load(), l.Producers().AppendSnapshot(nil), readAll(t, l, 0, 1000))
}

func producerBatch(t *testing.T, at kafka.Offset, epoch kafka.LeaderEpoch) []byte {
	t.Helper()
	var b record.Builder
	o := record.NewOptions(at, epoch)
	o.ProducerID, o.ProducerEpoch, o.BaseSequence = 7, 0, int32(at)
	b.Begin(o)
	b.Add(testStart.UnixMilli(), nil, bytes.Repeat([]byte("x"), 100))
	out, err := b.AppendTo(nil)
	must(t, err)
	return out
}

// Headers are enough for most of a large log. What a dying process can't have left sends recovery back to a scan of everything.
func TestWrittenReadsHeaders(t *testing.T) {
	disk := vfs.NewMem()
	c := DefaultConfig()
	c.SegmentBytes = 8 << 20
	l, _ := openTest(t, disk, options(c))
	var state producer.State
	for i := range kafka.Offset(200) {
		var b record.Builder
		o := record.NewOptions(i, kafka.LeaderEpoch(i/50))
		o.ProducerID, o.BaseSequence = kafka.ProducerID(i%3), int32(i)
		b.Begin(o)
		b.Add(testStart.UnixMilli()+int64(i), nil, bytes.Repeat([]byte{byte(i)}, 100<<10))
		out, err := b.AppendTo(nil)
		must(t, err)
		_, err = l.Append(out, testStart)
		must(t, err)
		state.Replay(record.Batch(out))
	}
	count := len(l.list.Load().segments)
	l.Abandon()
	o := options(c)
	o.Written = true
	l, report := openTest(t, disk, o)
	if most := int64(count) * (checkedTail + 101<<10); report.ScannedBytes > most || report.Odd != nil || l.LogEndOffset() != 200 {
		t.Fatalf("%+v of %d segments, end %d", report, count, l.LogEndOffset())
	}
	if !bytes.Equal(l.Producers().AppendSnapshot(nil), state.AppendSnapshot(nil)) {
		t.Fatal("the producers are not those of the batches")
	}
	for _, e := range []kafka.LeaderEpoch{0, 1, 2, 3} {
		if at := l.EpochAt(kafka.Offset(e) * 50); at != e {
			t.Fatalf("epoch of %d is %d", e*50, at)
		}
	}
	l.Abandon()

	// A value that rotted far from the end is not seen, a header is.
	name := "/t-0/" + segment.FileName(0, segment.LogSuffix)
	b, err := vfs.ReadFile(disk, name)
	must(t, err)
	b[len(b)/2] ^= 0x10
	must(t, vfs.WriteFile(disk, name, b))
	l, report = openTest(t, disk, o)
	if report.Odd != nil || l.LogEndOffset() != 200 {
		t.Fatalf("%+v, end %d", report, l.LogEndOffset())
	}
	l.Abandon()
	first, _, err := record.Next(b)
	must(t, err)
	b[len(first)+16] = 9 // magic
	must(t, vfs.WriteFile(disk, name, b))
	l, report = openTest(t, disk, o)
	if report.Odd == nil || report.LostBytes == 0 || l.LogEndOffset() != 1 {
		t.Fatalf("%+v, end %d", report, l.LogEndOffset())
	}
}
