package commitlog

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// To record what Apache Kafka does, run it with log.cleaner.backoff.ms=500 and name its address and its log directory.
var (
	kafkaAddress = flag.String("kafka", "", "address of an Apache Kafka whose cleaner is to be recorded")
	kafkaDir     = flag.String("kafka-dir", "", "its log directory")
)

const cleanedData = "testdata/cleaned"

// phases are logs that Kafka 4.4.0 cleaned: testdata/cleaned/NAME holds each before, NAME.txt what Kafka left of it.
var phases = []struct {
	name  string
	later time.Duration // when it is cleaned, after it was written
}{
	{"first", 0},             // a log that was never cleaned: tombstones get their time
	{"second", 0},            // the same, cleaned by Kafka and written to again: what was to be deleted after 0 ms goes
	{"kept", 24 * time.Hour}, // as the first, delete.retention.ms a week
}

// TestCleaningLikeKafka cleans logs that Kafka cleaned, too: the same records must be left.
func TestCleaningLikeKafka(t *testing.T) {
	if *kafkaAddress != "" {
		recordCleanings(t)
	}
	for _, phase := range phases {
		t.Run(phase.name, func(t *testing.T) {
			fs := vfs.OS{}
			dir := t.TempDir()
			folder := filepath.Join(dir, "t-0")
			must(t, os.CopyFS(folder, os.DirFS(filepath.Join(cleanedData, phase.name))))
			text, err := os.ReadFile(filepath.Join(cleanedData, phase.name+".txt"))
			must(t, err)
			head, want, _ := strings.Cut(string(text), "\n")
			var from kafka.Offset
			var millis, retain int64
			_, err = fmt.Sscanf(head, "from %d at %d retention %d", &from, &millis, &retain)
			must(t, err)
			o := options(compacted())
			o.Config.SegmentBytes, o.Cleaned, o.Config.ProducerIdle = 1<<20, from, 1e6*time.Hour
			l, _, err := Open(fs, folder, o)
			must(t, err)
			cleanLog(t, l, 1000, time.Duration(retain)*time.Millisecond, time.UnixMilli(millis).Add(phase.later))
			if got := listing(t, l); got != want {
				t.Errorf("left are\n%s\nKafka leaves\n%s", got, want)
			}
			must(t, l.Close(time.Now()))
		})
	}
}

// TestEmptyBatchesLikeKafka compares the headers that are kept without records, byte for byte: those that Kafka left of the first log, which the second one
// begins with, and ours.
func TestEmptyBatchesLikeKafka(t *testing.T) {
	ours, kafkas := map[kafka.Offset]string{}, map[kafka.Offset]string{}
	for name, empty := range map[string]map[kafka.Offset]string{"first": ours, "second": kafkas} {
		folder := filepath.Join(t.TempDir(), "t-0")
		must(t, os.CopyFS(folder, os.DirFS(filepath.Join(cleanedData, name))))
		o := options(compacted())
		o.Config.SegmentBytes, o.Config.ProducerIdle = 1<<20, 1e6*time.Hour
		l, _, err := Open(vfs.OS{}, folder, o)
		must(t, err)
		if name == "first" {
			cleanLog(t, l, 1000, 0, kafkaTime)
		}
		for rest := readAll(t, l, 0, 1<<20); len(rest) > 0; {
			b, next, err := record.Next(rest)
			must(t, err)
			if rest = next; b.Count() == 0 && !b.IsControl() {
				empty[b.BaseOffset()] = fmt.Sprintf("%x", []byte(b))
			}
		}
		l.Abandon()
	}
	same := 0
	for base, want := range kafkas {
		if got, ok := ours[base]; ok {
			same++
			if got != want {
				t.Errorf("at %d: %s, Kafka has %s", base, got, want)
			}
		}
	}
	if same == 0 {
		t.Error("there is nothing to compare")
	}
}

// listing is a line for each record.
func listing(t testing.TB, l *Log) string {
	var s strings.Builder
	all := contents(t, l)
	offsets := make([]kafka.Offset, 0, len(all))
	for o := range all {
		offsets = append(offsets, o)
	}
	slices.Sort(offsets)
	for _, o := range offsets {
		value := all[o].value
		if all[o].tombstone {
			value = "null"
		}
		fmt.Fprintf(&s, "%d %s %s\n", o, all[o].key, value)
	}
	return s.String()
}

// recording makes a log in a running Kafka.
type recording struct {
	t     *testing.T
	topic string
	admin *kadm.Client
	time  time.Time
}

func recordCleanings(t *testing.T) {
	must(t, os.RemoveAll(cleanedData))
	r := newRecording(t, "0")
	r.fill(0)
	r.save("first", 0, "0")
	r.fill(1)
	r.save("second", r.cleaned(), "0")
	r = newRecording(t, "604800000")
	r.fill(0)
	r.save("kept", 0, "604800000")
}

func newRecording(t *testing.T, retain string) *recording {
	client, err := kgo.NewClient(kgo.SeedBrokers(*kafkaAddress))
	must(t, err)
	r := &recording{t: t, admin: kadm.NewClient(client), topic: fmt.Sprintf("clean-%d", time.Now().UnixNano()), time: time.Now().Add(time.Minute)}
	_, err = r.admin.CreateTopic(t.Context(), 1, 1, map[string]*string{
		"cleanup.policy": new("delete"), "delete.retention.ms": &retain, "segment.ms": new("5000"), "retention.ms": new("-1"), "min.cleanable.dirty.ratio": new("0.001"),
	}, r.topic)
	must(t, err)
	return r
}

// fill writes segments of ten seconds each: batches with and without producers, in all codecs, with tombstones, commits and aborts.
func (r *recording) fill(round int) {
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	for i := range 10 {
		r.time = r.time.Add(10 * time.Second)
		opts := []kgo.Opt{
			kgo.SeedBrokers(*kafkaAddress), kgo.ProducerBatchCompression(codecs[i%len(codecs)]), kgo.ProducerLinger(50 * time.Millisecond), kgo.DefaultProduceTopic(r.topic),
		}
		switch i % 3 {
		case 0:
			opts = append(opts, kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck()))
		case 1:
			opts = append(opts, kgo.TransactionalID(fmt.Sprint(r.topic, i%2)))
		}
		client, err := kgo.NewClient(opts...)
		must(r.t, err)
		for part := range 2 {
			if i%3 == 1 {
				must(r.t, client.BeginTransaction())
			}
			var records []*kgo.Record
			for j := range 6 {
				n := round*100 + i*12 + part*6 + j
				rec := &kgo.Record{Key: fmt.Appendf(nil, "key %d", (n*7+i*i)%23), Value: fmt.Appendf(nil, "value %d", n), Timestamp: r.time.Add(time.Duration(n) * time.Millisecond)}
				if n%5 == 0 {
					rec.Value = nil
				}
				records = append(records, rec)
			}
			must(r.t, client.ProduceSync(r.t.Context(), records...).FirstErr())
			if i%3 == 1 {
				must(r.t, client.EndTransaction(r.t.Context(), kgo.TransactionEndTry((i+part)%2 == 0)))
			}
		}
		client.Close()
	}
}

// cleaned returns the cleaner's checkpoint.
func (r *recording) cleaned() kafka.Offset {
	entries, err := checkpoint.ReadOffsets(vfs.OS{}, *kafkaDir, checkpoint.Cleaner)
	must(r.t, err)
	for _, e := range entries {
		if e.Topic == r.topic {
			return e.Offset
		}
	}
	return 0
}

// save copies the log, lets Kafka clean it, and writes down what is left.
func (r *recording) save(name string, from kafka.Offset, retain string) {
	folder := filepath.Join(*kafkaDir, r.topic+"-0")
	to := filepath.Join(cleanedData, name)
	must(r.t, os.MkdirAll(to, 0o755))
	active := r.copy(folder, to)
	set := func(policy string) {
		_, err := r.admin.AlterTopicConfigs(r.t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "cleanup.policy", Value: &policy}}, r.topic)
		must(r.t, err)
	}
	set("compact")
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	for tick := time.NewTicker(100 * time.Millisecond); r.cleaned() < active; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.t.Fatal("Kafka does not clean the log")
		}
	}
	set("delete")
	after := r.t.TempDir()
	r.copy(folder, filepath.Join(after))
	o := options(compacted())
	o.Config.SegmentBytes = 1 << 20
	l, _, err := Open(vfs.OS{}, after, o)
	must(r.t, err)
	text := fmt.Sprintf("from %d at %d retention %s\n%s", from, time.Now().UnixMilli(), retain, listing(r.t, l))
	must(r.t, os.WriteFile(to+".txt", []byte(text), 0o644))
}

// copy copies what can't be made again, and returns the base offset of the active segment.
func (r *recording) copy(from, to string) (active kafka.Offset) {
	entries, err := os.ReadDir(from)
	must(r.t, err)
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); ext != ".log" && ext != ".txnindex" && ext != ".snapshot" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		must(r.t, err)
		if filepath.Ext(e.Name()) == ".txnindex" && len(b) == 0 {
			continue
		}
		must(r.t, os.WriteFile(filepath.Join(to, e.Name()), b, 0o644))
		if n := kafka.Offset(0); filepath.Ext(e.Name()) == ".log" {
			_, err := fmt.Sscanf(e.Name(), "%d", &n)
			must(r.t, err)
			active = max(active, n)
		}
	}
	return active
}
