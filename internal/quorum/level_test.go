package quorum

import (
	"errors"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

// contents is every file of a folder.
func contents(t *testing.T, fs *vfs.Mem, dir string) string {
	t.Helper()
	entries, err := fs.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, e := range entries {
		b, err := vfs.ReadFile(fs, dir+"/"+e.Name)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(e.Name + "\x00" + string(b) + "\x00")
	}
	return all.String()
}

func level(l metadata.Level) *schema.FeatureLevelRecord {
	return &schema.FeatureLevelRecord{Name: metadata.MetadataVersionFeature, FeatureLevel: int16(l)}
}

// TestCheckLevel: the last level counts, wherever it stands: bootstrap file, snapshot or log.
func TestCheckLevel(t *testing.T) {
	const oldest, newest = metadata.MinMetadataVersion, metadata.LatestMetadataVersion
	tests := []struct {
		name                     string
		bootstrap, snapshot, log []metadata.Level
		refused                  string
	}{
		{name: "nothing"},
		{name: "format", bootstrap: []metadata.Level{newest}},
		{name: "format by a newer release", bootstrap: []metadata.Level{newest + 1}, refused: "newer release"},
		{name: "oldest", log: []metadata.Level{oldest}},
		{name: "too old", log: []metadata.Level{oldest - 1}, refused: "Apache Kafka 3.9"},
		{name: "raised", log: []metadata.Level{oldest - 1, oldest}},
		{name: "raised beyond", bootstrap: []metadata.Level{newest}, log: []metadata.Level{newest, newest + 1}, refused: "newer release"},
		{name: "snapshot too new", bootstrap: []metadata.Level{newest}, snapshot: []metadata.Level{newest + 2}, refused: "newer release"},
		{name: "log superseded by the snapshot", snapshot: []metadata.Level{newest}, log: []metadata.Level{oldest - 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fs, dir := vfs.NewMem(), "/data/__cluster_metadata-0"
			if err := vfs.MkdirAll(fs, dir); err != nil {
				t.Fatal(err)
			}
			snapshot := func(id SnapshotID, levels []metadata.Level) {
				t.Helper()
				if levels == nil {
					return
				}
				err := writeSnapshot(fs, dir, id, 1, 1, voters{}, func(yield func(metadata.Record) bool) {
					for _, l := range levels {
						yield(metadata.Record{Body: level(l)})
					}
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			snapshot(bootstrapID, test.bootstrap)
			snapshot(SnapshotID{EndOffset: 100, Epoch: 1}, test.snapshot)
			var log []byte
			for i, l := range test.log {
				var enc encoder
				var err error
				if log, err = enc.data(log, kafka.Offset(i), 1, 1, []metadata.Record{{Body: &schema.NoOpRecord{}}, {Body: level(l)}}); err != nil {
					t.Fatal(err)
				}
			}
			log = append(log, 1, 2, 3) // a torn tail is not its business
			if err := vfs.WriteFile(fs, dir+"/00000000000000000000.log", log); err != nil {
				t.Fatal(err)
			}
			before := contents(t, fs, dir)
			switch err := CheckLevel(fs, dir); {
			case test.refused == "" && err != nil, test.refused != "" && !errors.Is(err, ErrUnsupported):
				t.Fatalf("got %v", err)
			case err != nil && (!strings.Contains(err.Error(), test.refused) || strings.Contains(err.Error(), "\n")):
				t.Fatalf("%q does not say %q in a line", err, test.refused)
			}
			if contents(t, fs, dir) != before {
				t.Fatal("something changed in the folder")
			}
		})
	}
	if err := CheckLevel(vfs.NewMem(), "/nowhere"); err != nil {
		t.Fatalf("a folder that is not there: %v", err)
	}
}

// TestCheckLevelOfARunning: what an engine wrote is found, at whatever place of a longer log.
func TestCheckLevelOfARunning(t *testing.T) {
	fs := vfs.NewMem()
	cfg := testConfig(fs, "/data")
	n := run(t, cfg)
	n.join()
	for range 20 {
		names := make([]string, 100)
		for i := range names {
			names[i] = strings.Repeat("x", 200) + string(rune('a'+i%26)) + string(rune('a'+i/26)) + string(rune('a'+n.Image().Topics.Len()%26))
		}
		n.create(names...)
	}
	n.close()
	var found levelScan
	found.file(fs, cfg.Dir+"/00000000000000000000.log", 0)
	if !found.any || found.level != metadata.LatestMetadataVersion {
		t.Fatalf("found level %d (%t)", found.level, found.any)
	}
}
