package quorum

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

// TestFormat: the bootstrap file that we write is the one that Kafka's format wrote, but for the times.
func TestFormat(t *testing.T) {
	for _, kind := range []string{"static", "dynamic"} {
		golden, err := os.ReadFile(filepath.Join("testdata", "kafka-"+kind, bootstrapID.String()))
		if err != nil {
			t.Fatal(err)
		}
		var records []schema.MetadataRecord
		var members voters
		if err := visitBatches(golden, func(d *batch) error {
			records = append(records, d.Records...)
			members.note(d)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		fs := vfs.NewMem()
		if err := Format(fs, "/m", members.set, records, 1000); err != nil {
			t.Fatal(err)
		}
		ours, err := vfs.ReadFile(fs, path.Join("/m", bootstrapID.String()))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := outline(t, ours), outline(t, golden); got != want {
			t.Errorf("%s: wrote\n%s\nKafka wrote\n%s", kind, got, want)
		}
		if len(ours) != len(golden) {
			t.Errorf("%s: %d bytes, Kafka wrote %d", kind, len(ours), len(golden))
		}
		for i, r := range controller.DefaultBootstrap() {
			want := schema.AppendMetadataJSON(nil, records[i], 0)
			if got := schema.AppendMetadataJSON(nil, r, 0); string(got) != string(want) {
				t.Errorf("%s: record %d is %s, Kafka's %s", kind, i, got, want)
			}
		}
	}
}

// outline lists batches and records without their times.
func outline(t *testing.T, content []byte) string {
	t.Helper()
	var s string
	for rest := content; len(rest) > 0; {
		b, after, err := record.Next(rest)
		if err != nil {
			t.Fatal(err)
		}
		s += fmt.Sprintf("%d-%d epoch %d attributes %d size %d\n", b.BaseOffset(), b.LastOffset(), b.LeaderEpoch(), b.Attributes(), b.Size())
		var w record.Walker
		w.Reset(b, 1<<20)
		for w.Next() {
			value := w.Record.Value
			if b.IsControl() && len(value) == 11 {
				value = value[:2] // the header's time
			}
			s += fmt.Sprintf("  %x %x\n", w.Record.Key, value)
		}
		if err := w.Err(); err != nil {
			t.Fatal(err)
		}
		rest = after
	}
	return s
}

// TestIndexesFollowFromTheLog: each record is an entry, the batch rides on its first, terms are leader epochs.
func TestIndexesFollowFromTheLog(t *testing.T) {
	fs := vfs.NewMem()
	cfg := testConfig(fs, "/data")
	copyFolder(t, fs, cfg.Dir, filepath.Join("testdata", "kafka-dynamic"))
	cfg.Voters, cfg.Directory = nil, directoryIn(t, fs, cfg.Dir)
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := e.storage
	first, _ := s.FirstIndex()
	last, _ := s.LastIndex()
	if first != 1 || last != uint64(e.Image().End()) {
		t.Fatalf("indexes %d to %d", first, last)
	}
	for lo := first; lo <= last; lo++ {
		entries, err := s.Entries(lo, last+1, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if n := uint64(len(entries)); n != last-lo+1 {
			t.Fatalf("%d entries from %d", n, lo)
		}
		for i, entry := range entries {
			at := lo + uint64(i)
			term, err := s.Term(at)
			if err != nil || entry.GetIndex() != at || entry.GetTerm() != term || term != 1 {
				t.Fatalf("entry %d: index %d, term %d of %d, %v", at, entry.GetIndex(), entry.GetTerm(), term, err)
			}
			if b := record.Batch(entry.Data); len(b) > 0 && index(b.BaseOffset()) != at {
				t.Fatalf("entry %d carries %v", at, b)
			}
		}
	}
	if one, err := s.Entries(first, last+1, 1); err != nil || len(one) != 3 {
		t.Fatalf("a small limit gives %d entries, want the first batch: %v", len(one), err)
	}
	if term, err := s.Term(0); term != 0 || err != nil {
		t.Fatalf("term %d before the log, %v", term, err)
	}
	if _, err := s.Term(last + 1); err == nil {
		t.Fatal("a term beyond the log")
	}
}

func TestQuorumStateDamaged(t *testing.T) {
	for _, content := range []string{"", "{}", `{"leaderId":1}`, "\x00\x00", `{"leaderId":1,"leaderEpoch":-5,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}`} {
		fs := vfs.NewMem()
		cfg := testConfig(fs, "/data")
		if err := vfs.MkdirAll(fs, cfg.Dir); err != nil {
			t.Fatal(err)
		}
		if err := vfs.WriteFile(fs, path.Join(cfg.Dir, quorumStateFile), []byte(content)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(cfg); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v", content, err)
		}
	}
}

// TestStandstill: a process that stood still for longer than a session does not fence its brokers for it.
func TestStandstill(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	cfg := testConfig(vfs.NewMem(), "/data")
	cfg.Now = func() time.Time { return now }
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{Engine: e, t: t}
	stepped := make(chan error, 1)
	go func() { n.join(); stepped <- nil }()
	for done := false; !done; { // the test is the loop: it takes what join asks for, and steps
		select {
		case r := <-e.requests:
			e.inbox = append(e.inbox, r)
			if err := e.step(now); err != nil {
				t.Fatal(err)
			}
		case <-stepped:
			done = true
		}
	}
	for _, c := range []struct {
		pass   time.Duration
		fenced bool
	}{{time.Minute, false}, {9*time.Second + 2*time.Millisecond, true}} {
		now = now.Add(c.pass)
		if err := e.step(now); err != nil {
			t.Fatal(err)
		}
		if got := e.Image().Cluster.Broker(1).Fenced; got != c.fenced {
			t.Fatalf("after %v fenced is %t", c.pass, got)
		}
	}
	if err := e.stop(now, nil); err != nil {
		t.Fatal(err)
	}
}

// FuzzSnapshot: whatever a snapshot file holds, loading it gives a state or an error (F13).
func FuzzSnapshot(f *testing.F) {
	for _, kind := range []string{"static", "dynamic"} {
		golden, err := os.ReadFile(filepath.Join("testdata", "kafka-"+kind, bootstrapID.String()))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(golden)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		// The CRC is made good, or nothing behind it would be reached.
		for rest := content; len(rest) > 0; {
			b, after, err := record.Next(rest)
			if err != nil {
				break
			}
			sum := b.ComputeCRC()
			copy(b[17:], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
			rest = after
		}
		fs := vfs.NewMem()
		id := SnapshotID{EndOffset: kafka.Offset(7), Epoch: 1}
		if err := vfs.MkdirAll(fs, "/s"); err != nil {
			t.Fatal(err)
		}
		if err := vfs.WriteFile(fs, path.Join("/s", id.String()), content); err != nil {
			t.Fatal(err)
		}
		if image, _, err := loadSnapshot(fs, "/s", id, ""); err == nil {
			dump(image)
		}
	})
}
