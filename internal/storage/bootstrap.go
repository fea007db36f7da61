package storage

import (
	"fmt"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
)

// SnapshotFile is the name of the snapshot that a controller starts from: the state at offset 0, epoch 0.
const SnapshotFile = "00000000000000000000-0000000000.checkpoint"

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

// snapshot returns the bytes of the bootstrap snapshot: a control batch (header, and for a dynamic quorum
// kraft.version and the voters, if they are known), the records, and a control batch with the footer.
func snapshot(records []schema.FeatureLevelRecord, kraft metadata.Level, voters []Voter, listener string, now time.Time) ([]byte, error) {
	ms := now.UnixMilli()
	var b record.Builder
	begin := func(base kafka.Offset, control bool) {
		opts := record.NewOptions(base, 0)
		opts.Control = control
		b.Begin(opts)
	}
	begin(0, true)
	b.Add(ms, record.ControlKey(record.SnapshotHeader),
		(&schema.SnapshotHeaderRecord{LastContainedLogTimestamp: ms}).AppendTo(nil, schema.ControlVersion))
	if kraft > 0 {
		b.Add(ms, record.ControlKey(record.KRaftVersion),
			(&schema.KRaftVersionRecord{KRaftVersion: int16(kraft)}).AppendTo(nil, schema.ControlVersion))
		if len(voters) > 0 {
			b.Add(ms, record.ControlKey(record.Voters), votersRecord(voters, listener).AppendTo(nil, schema.ControlVersion))
		}
	}
	base := kafka.Offset(b.Count())
	bytes, err := b.AppendTo(nil)
	if err != nil {
		return nil, err
	}
	begin(base, false)
	for i := range records {
		b.Add(ms, nil, schema.AppendMetadata(nil, &records[i], 0))
	}
	base += kafka.Offset(b.Count())
	if bytes, err = b.AppendTo(bytes); err != nil {
		return nil, err
	}
	begin(base, true)
	b.Add(ms, record.ControlKey(record.SnapshotFooter), (&schema.SnapshotFooterRecord{}).AppendTo(nil, schema.ControlVersion))
	return b.AppendTo(bytes)
}

func votersRecord(voters []Voter, listener string) *schema.VotersRecord {
	r := &schema.VotersRecord{}
	for _, v := range voters {
		r.Voters = append(r.Voters, schema.Voter{
			VoterID: int32(v.ID), VoterDirectoryID: v.Directory,
			Endpoints:           []schema.VoterEndpoint{{Name: listener, Host: v.Host, Port: uint16(v.Port)}},
			KRaftVersionFeature: schema.KRaftVersionRange{MinSupportedVersion: 0, MaxSupportedVersion: int16(metadata.LatestKRaftVersion)},
		})
	}
	return r
}
