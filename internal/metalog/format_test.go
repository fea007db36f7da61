package metalog

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"testing"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

// golden has folders that Kafka left.
const golden = "../quorum/testdata"

// TestWriteBootstrap: the bootstrap file that we write is the one that Kafka's format wrote, but for the times.
func TestWriteBootstrap(t *testing.T) {
	for _, kind := range []string{"static", "dynamic"} {
		theirs, err := os.ReadFile(filepath.Join(golden, "kafka-"+kind, BootstrapID.String()))
		if err != nil {
			t.Fatal(err)
		}
		var records []schema.MetadataRecord
		var members Voters
		if err := visitBatches(theirs, func(d *Batch) error {
			records = append(records, d.Records...)
			members.Note(d)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		fs := vfs.NewMem()
		if err := WriteBootstrap(fs, "/m", members, records, 1000); err != nil {
			t.Fatal(err)
		}
		ours, err := vfs.ReadFile(fs, path.Join("/m", BootstrapID.String()))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := outline(t, ours), outline(t, theirs); got != want {
			t.Errorf("%s: wrote\n%s\nKafka wrote\n%s", kind, got, want)
		}
		if len(ours) != len(theirs) {
			t.Errorf("%s: %d bytes, Kafka wrote %d", kind, len(ours), len(theirs))
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

// FuzzSnapshot: whatever a snapshot file holds, loading it gives a state or an error (F13).
func FuzzSnapshot(f *testing.F) {
	for _, kind := range []string{"static", "dynamic"} {
		theirs, err := os.ReadFile(filepath.Join(golden, "kafka-"+kind, BootstrapID.String()))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(theirs)
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
		if image, _, err := LoadSnapshot(fs, "/s", id); err == nil {
			for r := range image.Records {
				schema.AppendMetadataJSON(nil, r.Body, r.Version)
			}
		}
	})
}
