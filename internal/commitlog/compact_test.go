package commitlog

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/compaction"
	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// compacted is a configuration of a log that is compacted soon.
func compacted() Config {
	c := small()
	c.DeleteOld, c.Compacted = false, true
	return c
}

// cleanLog cleans all of l that can be at now, with a map of so many keys.
func cleanLog(t testing.TB, l *Log, keys int, retention time.Duration, now time.Time) {
	t.Helper()
	must(t, tryClean(l, keys, retention, now))
}

func tryClean(l *Log, keys int, retention time.Duration, now time.Time) error {
	if _, err := l.Flush(); err != nil {
		return err
	}
	survey, err := l.Survey(compaction.Config{}, l.config)
	if err != nil {
		return err
	}
	survey.LastStable = l.LogEndOffset()
	if first := l.Producers().FirstUnstableOffset(l.LogEndOffset()); first != kafka.NoOffset {
		survey.LastStable = first
	}
	w := compaction.Measure(&survey, now.UnixMilli())
	if w.Dirty == 0 {
		return nil
	}
	last := map[kafka.ProducerID]compaction.LastBatch{}
	l.Producers().Last(func(id kafka.ProducerID, offset kafka.Offset, epoch int16) {
		last[id] = compaction.LastBatch{Offset: offset, Epoch: epoch}
	})
	c, err := l.Compact(Cleaning{
		From: w.From, To: w.To, Config: *l.config, Keys: compaction.NewKeys(make([]byte, keys*compaction.SlotBytes), 1, compaction.Seeds()), Now: now,
		DeleteRetention: retention, HighWatermark: l.LogEndOffset(), Producers: last, BufferBytes: 300,
	})
	for err == nil {
		var p Progress
		p, err = c.Step()
		if p.Done {
			l.SetCleaned(c.End())
			return nil
		}
		if err == nil && p.Ready {
			if err = l.Swap(c, now); err == nil {
				err = l.FinishSwap()
			}
		}
	}
	if closeErr := c.Close(); l.Err() == nil && closeErr != nil {
		return errors.Join(err, closeErr)
	}
	return err
}

// keyed is a record of the model.
type keyed struct {
	key, value string
	tombstone  bool
}

// contents are the records of a log by offset.
func contents(t testing.TB, l *Log) map[kafka.Offset]keyed {
	t.Helper()
	all := map[kafka.Offset]keyed{}
	rest := readAll(t, l, l.LogStartOffset(), 1<<20)
	last := kafka.NoOffset
	for len(rest) > 0 {
		b, next, err := record.Next(rest)
		must(t, err)
		rest = next
		if b.IsControl() {
			continue
		}
		var w record.Walker
		w.Reset(b, 1<<20)
		for w.Next() {
			offset := b.BaseOffset() + kafka.Offset(w.Record.OffsetDelta)
			if offset <= last || offset > b.LastOffset() {
				t.Fatalf("offset %d after %d in %s", offset, last, b)
			}
			last = offset
			all[offset] = keyed{key: string(w.Record.Key), value: string(w.Record.Value), tombstone: w.Record.ValueSize < 0}
		}
		must(t, w.Err())
		w.Close()
	}
	return all
}

func TestCleaningKeepsTheLatestValueOfEachKey(t *testing.T) {
	for _, codec := range []compress.Codec{compress.None, compress.Gzip, compress.Snappy, compress.LZ4, compress.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			fs := vfs.NewMem()
			l, _ := openTest(t, fs, options(compacted()))
			latest := map[string]kafka.Offset{}
			want := map[kafka.Offset]keyed{}
			rng := rand.New(rand.NewPCG(1, uint64(codec)))
			for range 60 {
				var b record.Builder
				o := record.NewOptions(l.LogEndOffset(), 0)
				o.Codec = codec
				b.Begin(o)
				for i := range rng.IntN(8) + 1 {
					offset, key := o.BaseOffset+kafka.Offset(i), fmt.Sprint("k", rng.IntN(12))
					r := keyed{key: key, value: fmt.Sprint("v", offset)}
					b.Add(testStart.UnixMilli(), []byte(key), []byte(r.value))
					latest[key], want[offset] = offset, r
				}
				out, err := b.AppendTo(nil)
				must(t, err)
				_, err = l.Append(out, testStart)
				must(t, err)
			}
			must(t, l.Roll(testStart))
			size := l.Size()
			cleanLog(t, l, 100, time.Hour, testStart)
			maps.DeleteFunc(want, func(o kafka.Offset, r keyed) bool { return latest[r.key] != o })
			if got := contents(t, l); !maps.Equal(got, want) {
				t.Fatalf("after the cleaning: %v\nwant %v", got, want)
			}
			if l.Size() >= size {
				t.Fatalf("%d bytes of %d are left", l.Size(), size)
			}
			end := l.LogEndOffset()
			must(t, l.Close(testStart))
			o := options(compacted())
			o.Clean, o.RecoveryPoint = true, end
			l, report := openTest(t, fs, o)
			if got := contents(t, l); !maps.Equal(got, want) || report.ScannedBytes > 0 || l.LogEndOffset() != end {
				t.Fatalf("opened again: %v", slices.Sorted(maps.Keys(got)))
			}
		})
	}
}
