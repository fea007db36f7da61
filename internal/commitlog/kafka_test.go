package commitlog

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// kafkaFolder is a partition's folder that Apache Kafka 4.4.0 wrote and closed: 40 records of one idempotent producer, index.interval.bytes=100.
const kafkaFolder = "testdata/kafka"

// kafkaTime is shortly after its records.
var kafkaTime = time.UnixMilli(1795302215763).Add(time.Minute)

// kafkaDisk returns a file system with the folder as /t-0.
func kafkaDisk(t *testing.T) *vfs.Mem {
	t.Helper()
	disk := vfs.NewMem()
	must(t, disk.Mkdir("/t-0"))
	names, err := filepath.Glob(kafkaFolder + "/*")
	must(t, err)
	for _, name := range names {
		b, err := os.ReadFile(name)
		must(t, err)
		must(t, vfs.WriteFile(disk, path.Join("/t-0", filepath.Base(name)), b))
	}
	return disk
}

func kafkaOptions(clean bool) Options {
	o := options(DefaultConfig())
	o.Config.IndexInterval = 100
	o.Clean, o.Now = clean, kafkaTime
	return o
}

func TestOpenKafkasFolder(t *testing.T) {
	want, err := os.ReadFile(kafkaFolder + "/00000000000000000000.log")
	must(t, err)
	f := func(name string, clean bool, spoil func(*vfs.Mem)) {
		t.Helper()
		disk := kafkaDisk(t)
		if spoil != nil {
			spoil(disk)
		}
		l, report, err := Open(disk, "/t-0", kafkaOptions(clean))
		must(t, err)
		if l.LogStartOffset() != 0 || l.LogEndOffset() != 40 || l.LatestEpoch() != 0 || report.LostBytes != 0 || report.Damage != nil {
			t.Fatalf("%s: offsets %d to %d, epoch %d, %+v", name, l.LogStartOffset(), l.LogEndOffset(), l.LatestEpoch(), report)
		}
		if got := readAll(t, l, 0, 300); !bytes.Equal(got, want) {
			t.Fatalf("%s: read %d bytes of %d", name, len(got), len(want))
		}
		if l.Producers().Len() != 1 || l.Producers().EndOffset() != 40 {
			t.Fatalf("%s: %d producers", name, l.Producers().Len())
		}
		at, ok, err := l.OffsetForTimestamp(1795302215762)
		must(t, err)
		if !ok || at.Offset != 11 && at.Offset != 12 || at.Timestamp != 1795302215762 {
			t.Fatalf("%s: %+v", name, at)
		}
	}
	f("after a clean shutdown", true, nil)
	f("after an unclean one", false, nil)
	f("with preallocated indexes", false, func(disk *vfs.Mem) {
		for name, size := range map[string]int64{"/t-0/00000000000000000000.index": 10485760, "/t-0/00000000000000000000.timeindex": 10485756} {
			file, err := disk.OpenWrite(name)
			must(t, err)
			must(t, file.Truncate(size))
		}
	})
	f("with preallocated indexes, said to be clean", true, func(disk *vfs.Mem) {
		for name, size := range map[string]int64{"/t-0/00000000000000000000.index": 10485760, "/t-0/00000000000000000000.timeindex": 10485756} {
			file, err := disk.OpenWrite(name)
			must(t, err)
			must(t, file.Truncate(size))
		}
	})
	f("without indexes", true, func(disk *vfs.Mem) {
		must(t, disk.Remove("/t-0/00000000000000000000.index"))
		must(t, disk.Remove("/t-0/00000000000000000000.timeindex"))
	})
	f("without epochs and snapshot", false, func(disk *vfs.Mem) {
		must(t, disk.Remove("/t-0/leader-epoch-checkpoint"))
		must(t, disk.Remove("/t-0/00000000000000000040.snapshot"))
	})
}

// TestWriteKafkasFolder appends the records that Kafka got, and expects each of Kafka's files to the byte.
func TestWriteKafkasFolder(t *testing.T) {
	b, err := os.ReadFile(kafkaFolder + "/00000000000000000000.log")
	must(t, err)
	disk := vfs.NewMem()
	l, _, err := Open(disk, "/t-0", kafkaOptions(false))
	must(t, err)
	for rest := b; len(rest) > 0; {
		var batch record.Batch
		batch, rest, err = record.Next(rest)
		must(t, err)
		_, err = l.Append(batch, kafkaTime)
		must(t, err)
	}
	must(t, l.Close(kafkaTime))
	id, err := kafka.ParseUUID("igaDvYiMR76koyM2g7MSnA")
	must(t, err)
	must(t, checkpoint.WritePartition(disk, "/t-0", id))
	names, err := filepath.Glob(kafkaFolder + "/*")
	must(t, err)
	for _, name := range names {
		want, err := os.ReadFile(name)
		must(t, err)
		got, err := vfs.ReadFile(disk, path.Join("/t-0", filepath.Base(name)))
		must(t, err)
		if !bytes.Equal(got, want) {
			t.Errorf("%s:\n%x\nKafka has\n%x", filepath.Base(name), got, want)
		}
	}
	entries, err := disk.ReadDir("/t-0")
	must(t, err)
	if len(entries) != len(names) {
		t.Errorf("%d files, Kafka has %d: %v", len(entries), len(names), entries)
	}
}
