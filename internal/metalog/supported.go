package metalog

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

// ErrUnsupported says that the folder is in a state that this release can't take over from.
var ErrUnsupported = errors.New("can't take over from another release")

// CheckSupported looks through the folder dir of __cluster_metadata-0, changes nothing in it, and refuses what this release would not
// understand or not serve: feature levels and records that it does not know, a migration from ZooKeeper that has not ended, several
// voters of Kafka's, topics in tiered storage. Known are the features of this release, static the voters of controller.quorum.voters, which must be those that the folder knows.
// What can't be read is left for Open to tell. Errors wrap ErrUnsupported and say in one line what to do.
func CheckSupported(f vfs.FS, dir string, known map[string]metadata.LevelRange, static []kafka.NodeID) error {
	return check(f, dir, known, func(s *survey) error { return cmp.Or(s.checkVoters(f, dir), checkStatic(f, dir, static)) })
}

// CheckReadable is CheckSupported for a node that is to have no vote: who has one is no matter to it.
func CheckReadable(f vfs.FS, dir string, known map[string]metadata.LevelRange) error {
	return check(f, dir, known, func(*survey) error { return nil })
}

func check(f vfs.FS, dir string, known map[string]metadata.LevelRange, voters func(*survey) error) error {
	s := survey{levels: make(map[string]metadata.Level)}
	eachBatch(f, dir, s.batch)
	err := cmp.Or(s.checkVersion(), s.checkFeatures(known), s.unknown, s.checkMigration(), voters(&s))
	if err == nil && s.tiered {
		err = checkTiered(f, dir)
	}
	if err != nil {
		return fmt.Errorf("%w: %s %w", ErrUnsupported, dir, err)
	}
	return nil
}

// survey is what counts of a metadata log for the question whether this release can take it over. It decodes little: records of a
// newer release may have forms that this one can't read.
type survey struct {
	levels    map[string]metadata.Level
	unknown   error // about the first record that is not known
	migration int8  // as in the last ZkMigrationStateRecord
	tiered    bool  // some topic was once in tiered storage
	voters    int   // in the last VotersRecord
}

// Keys of the records that are decoded.
var (
	featureLevelKey = (*schema.FeatureLevelRecord)(nil).APIKey()
	migrationKey    = (*schema.ZkMigrationStateRecord)(nil).APIKey()
	configKey       = (*schema.ConfigRecord)(nil).APIKey()
)

// remoteStorage is the topic configuration that puts a topic into tiered storage (KIP-405).
const remoteStorage = "remote.storage.enable"

func (s *survey) batch(b record.Batch) {
	var w record.Walker
	defer w.Close()
	w.Reset(b, maxBatch)
	for w.Next() {
		if b.IsControl() {
			s.control(w.Record.Key, w.Record.Value)
			continue
		}
		key, err := schema.PeekMetadata(w.Record.Value)
		if err != nil && s.unknown == nil {
			s.unknown = fmt.Errorf("has at offset %d what this release does not know (%w): start a newer release on it",
				b.BaseOffset()+kafka.Offset(w.Record.OffsetDelta), err)
		}
		if err == nil && (key == featureLevelKey || key == migrationKey || key == configKey && bytes.Contains(w.Record.Value, []byte(remoteStorage))) {
			s.record(w.Record.Value)
		}
	}
}

func (s *survey) record(value []byte) {
	body, _, err := schema.ParseMetadata(value)
	if err != nil {
		return // Open will tell
	}
	switch r := body.(type) {
	case *schema.FeatureLevelRecord:
		s.levels[r.Name] = metadata.Level(r.FeatureLevel)
	case *schema.ZkMigrationStateRecord:
		s.migration = r.ZkMigrationState
	case *schema.ConfigRecord:
		s.tiered = s.tiered || isTiered(r)
	}
}

func isTiered(r *schema.ConfigRecord) bool {
	return r.ResourceType == int8(metadata.TopicResource) && r.Name == remoteStorage && r.Value != nil && *r.Value == "true"
}

// control takes in the level of kraft.version and the voters, which are control records.
func (s *survey) control(key, value []byte) {
	kind, err := record.ParseControlKey(key)
	var level schema.KRaftVersionRecord
	var voters schema.VotersRecord
	switch {
	case err != nil:
	case kind == record.KRaftVersion && level.ReadFrom(value, schema.ControlVersion) == nil:
		s.levels[metadata.KRaftVersionFeature] = metadata.Level(level.KRaftVersion)
	case kind == record.Voters && voters.ReadFrom(value, schema.ControlVersion) == nil:
		s.voters = len(voters.Voters)
	}
}

// checkVersion looks at metadata.version. Records of other levels may have other forms, so it comes first.
func (s *survey) checkVersion() error {
	switch level, any := s.levels[metadata.MetadataVersionFeature]; {
	case !any:
	case level > metadata.LatestMetadataVersion:
		return fmt.Errorf("is at metadata.version %d, and this release knows none above %d: start a newer release on it",
			level, metadata.LatestMetadataVersion)
	case level < metadata.MinMetadataVersion:
		return fmt.Errorf("is at metadata.version %d, and this release knows none below %d (3.3-IV3): raise it with Apache Kafka 3.9 first"+
			" (kafka-features.sh upgrade --release-version 3.9)", level, metadata.MinMetadataVersion)
	}
	return nil
}

// checkFeatures looks at the other features.
func (s *survey) checkFeatures(supported map[string]metadata.LevelRange) error {
	for _, name := range slices.Sorted(maps.Keys(s.levels)) {
		level, known := s.levels[name], supported[name]
		if level > known.Max {
			return fmt.Errorf("has feature %s at level %d, and this release knows none above %d: start a newer release on it, or lower it"+
				" with the release that set it (kafka-features.sh downgrade --feature %s=%d)", name, level, known.Max, name, known.Max)
		}
	}
	return nil
}

// The states of ZkMigrationStateRecord in which ZooKeeper counts.
const (
	migrating    = 1
	preMigration = 2
)

func (s *survey) checkMigration() error {
	if s.migration != migrating && s.migration != preMigration {
		return nil
	}
	return errors.New("is of a cluster that is migrating from ZooKeeper: end the migration with Apache Kafka 3.9 first")
}

// checkVoters looks for a quorum of several of Kafka's: what format leaves, and folders of our own, are no such.
func (s *survey) checkVoters(f vfs.FS, dir string) error {
	ours, err := vfs.Exists(f, path.Join(dir, SyncedFile))
	if s.voters < 2 || ours || err != nil || len(logFiles(f, dir)) == 0 {
		return nil // the folder's own opening will tell
	}
	return fmt.Errorf("is of a metadata quorum of %d voters, and this release takes over a quorum of one only: take the others out of it with Apache Kafka"+
		" first (kafka-metadata-quorum.sh remove-controller)", s.voters)
}

// checkStatic compares the voters of the configuration with those that the folder was written with, if they are static in both.
func checkStatic(f vfs.FS, dir string, static []kafka.NodeID) error {
	b, err := vfs.ReadFile(f, path.Join(dir, QuorumStateFile))
	if err != nil {
		return nil // there was none yet, or Open will tell
	}
	state, _, err := schema.ParseQuorumState(b)
	if err != nil || len(state.CurrentVoters) == 0 || len(static) == 0 || len(state.CurrentVoters)+len(static) == 2 {
		return nil // of one voter alone it is the node's identity that counts
	}
	var known []kafka.NodeID
	for _, v := range state.CurrentVoters {
		known = append(known, kafka.NodeID(v.VoterID))
	}
	static = slices.Clone(static)
	slices.Sort(known)
	slices.Sort(static)
	size := "one"
	if len(known) > 1 {
		size = fmt.Sprint(len(known))
	}
	if !slices.Equal(known, static) {
		return fmt.Errorf("is of a quorum of %s, %v, and controller.quorum.voters names %d voters, %v: name the same; voters can't be changed by the configuration",
			size, known, len(static), static)
	}
	if ours, err := vfs.Exists(f, path.Join(dir, SyncedFile)); len(known) > 1 && !ours && err == nil {
		return fmt.Errorf("is of a metadata quorum of %d voters of Apache Kafka's, and this release takes over a quorum of one only", len(known))
	}
	return nil
}

// checkTiered builds the image that the folder leads to, and looks for topics in tiered storage that are still there.
func checkTiered(f vfs.FS, dir string) error {
	image, err := Load(f, dir)
	if err != nil {
		return nil // Open will tell
	}
	for r := range image.Records {
		if c, ok := r.Body.(*schema.ConfigRecord); ok && isTiered(c) {
			return fmt.Errorf("has topic %s in tiered storage, and this release reads no remote segments: copy its records into another topic and"+
				" delete it, or give up what is remote (%s=false with remote.log.delete.on.disable=true), with Apache Kafka first", c.ResourceName, remoteStorage)
		}
	}
	return nil
}
