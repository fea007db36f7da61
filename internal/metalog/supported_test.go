package metalog

import (
	"errors"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/vfs/vfstest"
)

func level(l metadata.Level) *schema.FeatureLevelRecord {
	return &schema.FeatureLevelRecord{Name: metadata.MetadataVersionFeature, FeatureLevel: int16(l)}
}

// TestCheckSupportedVersion: the last level counts, wherever it stands: bootstrap file, snapshot or log.
func TestCheckSupportedVersion(t *testing.T) {
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
				err := WriteSnapshot(fs, dir, id, 1, 1, Voters{}, func(yield func(metadata.Record) bool) {
					for _, l := range levels {
						yield(metadata.Record{Body: level(l)})
					}
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			snapshot(BootstrapID, test.bootstrap)
			snapshot(SnapshotID{EndOffset: 100, Epoch: 1}, test.snapshot)
			var log []byte
			for i, l := range test.log {
				var enc Encoder
				var err error
				if log, err = enc.Data(log, kafka.Offset(i), 1, 1, []metadata.Record{{Body: &schema.NoOpRecord{}}, {Body: level(l)}}); err != nil {
					t.Fatal(err)
				}
			}
			log = append(log, 1, 2, 3) // a torn tail is not its business
			if err := vfs.WriteFile(fs, dir+"/00000000000000000000.log", log); err != nil {
				t.Fatal(err)
			}
			before := vfstest.Contents(t, fs, dir)
			switch err := CheckSupported(fs, dir, controller.DefaultSupported(), nil); {
			case test.refused == "" && err != nil, test.refused != "" && !errors.Is(err, ErrUnsupported):
				t.Fatalf("got %v", err)
			case err != nil && (!strings.Contains(err.Error(), test.refused) || strings.Contains(err.Error(), "\n")):
				t.Fatalf("%q does not say %q in a line", err, test.refused)
			}
			if vfstest.Contents(t, fs, dir) != before {
				t.Fatal("something changed in the folder")
			}
		})
	}
	if err := CheckSupported(vfs.NewMem(), "/nowhere", controller.DefaultSupported(), []kafka.NodeID{1}); err != nil {
		t.Fatalf("a folder that is not there: %v", err)
	}
}

// TestCheckSupportedFar: what counts is found at whatever place of a longer log.
func TestCheckSupportedFar(t *testing.T) {
	fs, dir := vfs.NewMem(), "/data/__cluster_metadata-0"
	var enc Encoder
	var log []byte
	var err error
	var next kafka.Offset
	write := func(records ...metadata.Record) {
		if log, err = enc.Data(log, next, 1, 1, records); err != nil {
			t.Fatal(err)
		}
		next += kafka.Offset(len(records))
	}
	write(metadata.Record{Body: level(metadata.LatestMetadataVersion)})
	for range 20 {
		topics := make([]metadata.Record, 500)
		for i := range topics {
			topics[i] = metadata.Record{Body: &schema.TopicRecord{Name: strings.Repeat("x", 200), TopicID: kafka.UUID{byte(i), byte(i >> 8), byte(next)}}}
		}
		write(topics...)
	}
	write(metadata.Record{Body: level(metadata.LatestMetadataVersion + 1)})
	if err := errors.Join(vfs.MkdirAll(fs, dir), vfs.WriteFile(fs, dir+"/00000000000000000000.log", log)); err != nil {
		t.Fatal(err)
	}
	if err := CheckSupported(fs, dir, controller.DefaultSupported(), nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("%d bytes with a level at their end that is not known: %v", len(log), err)
	}
}

// TestCheckSupported: what else a release before or after this one, or another way to run Kafka, may have left.
func TestCheckSupported(t *testing.T) {
	feature := func(name string, l int16) schema.MetadataRecord {
		return &schema.FeatureLevelRecord{Name: name, FeatureLevel: l}
	}
	tier := func(topic, value string) schema.MetadataRecord {
		return &schema.ConfigRecord{ResourceType: int8(metadata.TopicResource), ResourceName: topic, Name: remoteStorage, Value: &value}
	}
	id := kafka.UUID{1}
	mine := level(metadata.LatestMetadataVersion)
	tests := []struct {
		name    string
		records []schema.MetadataRecord
		raw     []byte // a record after them
		kraft   int16
		voters  int
		ours    bool   // the log is
		refused string // "" if it is not
	}{
		{name: "known features", records: []schema.MetadataRecord{mine, feature("share.version", 2), feature("transaction.version", 0)}},
		{name: "a level too high", records: []schema.MetadataRecord{mine, feature("transaction.version", 3)},
			refused: "has feature transaction.version at level 3, and this release knows none above 2"},
		{name: "an unknown feature", records: []schema.MetadataRecord{mine, feature("lunar.version", 1)}, refused: "lunar.version"},
		{name: "an unknown feature that was dropped", records: []schema.MetadataRecord{mine, feature("lunar.version", 1), feature("lunar.version", 0)}},
		{name: "kraft.version", kraft: 2, refused: "has feature kraft.version at level 2"},
		{name: "one voter", kraft: 1, voters: 1, records: []schema.MetadataRecord{mine}},
		{name: "several voters", kraft: 1, voters: 3, records: []schema.MetadataRecord{mine}, refused: "quorum of 3 voters"},
		{name: "several voters of ours", kraft: 1, voters: 3, ours: true, records: []schema.MetadataRecord{mine}},
		{name: "an unknown record", records: []schema.MetadataRecord{mine}, raw: []byte{1, 99, 0, 0}, refused: "offset 1 what this release does not know (metadata record key 99"},
		{name: "an unknown version", records: []schema.MetadataRecord{mine}, raw: []byte{1, 2, 5, 0}, refused: "TOPIC_RECORD version 5"},
		{name: "the level says more than the record", records: []schema.MetadataRecord{level(40)}, raw: []byte{1, 99, 0, 0}, refused: "metadata.version 40"},
		{name: "before the migration", records: []schema.MetadataRecord{mine, &schema.ZkMigrationStateRecord{ZkMigrationState: 2}}, refused: "migrating from ZooKeeper"},
		{name: "in migration", records: []schema.MetadataRecord{mine, &schema.ZkMigrationStateRecord{ZkMigrationState: 1}}, refused: "migrating from ZooKeeper"},
		{name: "after the migration", records: []schema.MetadataRecord{mine, &schema.ZkMigrationStateRecord{ZkMigrationState: 1}, &schema.ZkMigrationStateRecord{ZkMigrationState: 3}}},
		{name: "tiered", records: []schema.MetadataRecord{mine, &schema.TopicRecord{Name: "cold", TopicID: id}, tier("cold", "true")}, refused: "has topic cold in tiered storage"},
		{name: "tiered once", records: []schema.MetadataRecord{mine, &schema.TopicRecord{Name: "cold", TopicID: id}, tier("cold", "true"), tier("cold", "false")}},
		{name: "tiered and deleted", records: []schema.MetadataRecord{mine, &schema.TopicRecord{Name: "cold", TopicID: id}, tier("cold", "true"), &schema.RemoveTopicRecord{TopicID: id}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fs, dir := vfs.NewMem(), "/data/__cluster_metadata-0"
			var enc Encoder
			var log []byte
			var err error
			next := kafka.Offset(0)
			if test.kraft > 0 {
				set := &schema.VotersRecord{Voters: make([]schema.Voter, test.voters)}
				log, err = enc.Control(log, next, 1, 1, ControlRecord{record.KRaftVersion, &schema.KRaftVersionRecord{KRaftVersion: test.kraft}}, ControlRecord{record.Voters, set})
				next += 2
			}
			for _, r := range test.records {
				if err == nil {
					log, err = enc.Data(log, next, 1, 1, []metadata.Record{{Body: r}})
				}
				next++
			}
			if test.raw != nil && err == nil {
				enc.builder.Begin(record.NewOptions(next, 1))
				enc.builder.Add(1, nil, test.raw)
				log, err = enc.builder.AppendTo(log)
			}
			if err = errors.Join(err, vfs.MkdirAll(fs, dir), vfs.WriteFile(fs, dir+"/00000000000000000000.log", log)); err != nil {
				t.Fatal(err)
			}
			if test.ours {
				if err := vfs.WriteFile(fs, dir+"/"+SyncedFile, []byte("0\n")); err != nil {
					t.Fatal(err)
				}
			}
			before := vfstest.Contents(t, fs, dir)
			err = CheckSupported(fs, dir, controller.DefaultSupported(), nil)
			if (err != nil) != (test.refused != "") || err != nil && !(errors.Is(err, ErrUnsupported) && strings.Contains(err.Error(), test.refused)) {
				t.Errorf("got %v, want %q", err, test.refused)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("%q has several lines", err)
			}
			if vfstest.Contents(t, fs, dir) != before {
				t.Error("something changed in the folder")
			}
		})
	}
}

// TestCheckStaticVoters: the voters of the configuration are those that the folder knows, and of several only our own folders are taken.
func TestCheckStaticVoters(t *testing.T) {
	for _, test := range []struct {
		name          string
		known, static []kafka.NodeID
		foreign       bool // Kafka wrote the folder
		refused       string
	}{
		{name: "new", static: []kafka.NodeID{1, 2, 3}},
		{name: "the same", known: []kafka.NodeID{1, 2, 3}, static: []kafka.NodeID{3, 1, 2}},
		{name: "one of Kafka's", known: []kafka.NodeID{1}, static: []kafka.NodeID{1}, foreign: true},
		{name: "in the log by now", known: []kafka.NodeID{1}},
		{name: "one more", known: []kafka.NodeID{1}, static: []kafka.NodeID{1, 2}, refused: "quorum of one, [1], and controller.quorum.voters names 2 voters, [1 2]"},
		{name: "others", known: []kafka.NodeID{1, 2, 3}, static: []kafka.NodeID{1, 2, 4}, refused: "names 3 voters"},
		{name: "three of Kafka's", known: []kafka.NodeID{1, 2, 3}, static: []kafka.NodeID{1, 2, 3}, foreign: true, refused: "3 voters of Apache Kafka's"},
	} {
		fs := vfs.NewMem()
		if err := fs.Mkdir("/q"); err != nil {
			t.Fatal(err)
		}
		if test.known != nil {
			q := schema.NewQuorumStateData()
			for _, id := range test.known {
				q.CurrentVoters = append(q.CurrentVoters, schema.QuorumStateVoter{VoterID: int32(id)})
			}
			if err := vfs.WriteFile(fs, "/q/"+QuorumStateFile, schema.AppendQuorumState(nil, &q, 0)); err != nil {
				t.Fatal(err)
			}
		}
		if !test.foreign {
			if err := vfs.WriteFile(fs, "/q/"+SyncedFile, []byte("0\n")); err != nil {
				t.Fatal(err)
			}
		}
		err := CheckSupported(fs, "/q", controller.DefaultSupported(), test.static)
		if (err == nil) != (test.refused == "") || err != nil && (!errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), test.refused)) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
