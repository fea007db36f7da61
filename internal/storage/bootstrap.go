package storage

import (
	"fmt"
	"path"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/schema"
)

// MetadataDir is the folder of the metadata partition in the metadata log directory.
const MetadataDir = kafka.ClusterMetadataTopic + "-0"

// bootstrapRecords are the features of a new cluster: metadata.version first, the others by name, none of level 0.
// kraft.version is not among them: it is a control record.
func bootstrapRecords(r Release, levels map[string]metadata.Level) []schema.FeatureLevelRecord {
	records := []schema.FeatureLevelRecord{{Name: metadata.MetadataVersionFeature, FeatureLevel: int16(r.Metadata)}}
	for _, f := range sortedNames(levels) {
		if levels[f] > 0 && f != metadata.KRaftVersionFeature {
			records = append(records, schema.FeatureLevelRecord{Name: f, FeatureLevel: int16(levels[f])})
		}
	}
	return records
}

// describeBootstrap writes the records as Kafka's tool prints them.
func describeBootstrap(records []schema.FeatureLevelRecord) string {
	var parts []string
	for _, r := range records {
		parts = append(parts, fmt.Sprintf(
			"ApiMessageAndVersion(FeatureLevelRecord(name='%s', featureLevel=%d) at version 0)", r.Name, r.FeatureLevel))
	}
	return fmt.Sprintf("BootstrapMetadata(records=[%s], metadataVersionLevel=%d, source=format command)",
		strings.Join(parts, ", "), records[0].FeatureLevel)
}

// writeBootstrap leaves what the first leader is to begin with in a metadata log directory.
func (w World) writeBootstrap(dir string, records []schema.FeatureLevelRecord, members metalog.Voters) error {
	bodies := make([]schema.MetadataRecord, len(records))
	for i := range records {
		bodies[i] = &records[i]
	}
	if err := metalog.WriteBootstrap(w.FS, path.Join(dir, MetadataDir), members, bodies, w.Now().UnixMilli()); err != nil {
		return fmt.Errorf("write the first snapshot: %w", err)
	}
	return nil
}

// members are the voters that a dynamic quorum begins with, each at a listener; of a static one nothing is said.
func members(kraft metadata.Level, voters []Voter, listener string) metalog.Voters {
	set := metalog.Voters{KRaft: int16(kraft)}
	for _, v := range voters {
		set.Set = append(set.Set, metalog.Voter{
			ID: v.ID, Directory: v.Directory, Endpoints: []metadata.Endpoint{{Listener: listener, Host: v.Host, Port: uint16(v.Port)}},
		})
	}
	return set
}
