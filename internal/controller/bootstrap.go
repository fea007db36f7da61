package controller

import (
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// DefaultSupported are the feature levels of a 4.4 node.
func DefaultSupported() map[string]metadata.LevelRange {
	return map[string]metadata.LevelRange{
		metadata.MetadataVersionFeature: {Min: metadata.MinMetadataVersion, Max: metadata.LatestMetadataVersion},
		metadata.KRaftVersionFeature:    {Min: 0, Max: 1},
		metadata.TransactionFeature:     {Min: 0, Max: 2},
		metadata.GroupFeature:           {Min: 0, Max: 1},
		metadata.ELRFeature:             {Min: 0, Max: 1},
		metadata.ShareFeature:           {Min: 0, Max: 2},
		metadata.StreamsFeature:         {Min: 0, Max: 1},
	}
}

// DefaultBootstrap are the feature levels that format gives a new 4.4 cluster, in the order of the file.
func DefaultBootstrap() []schema.MetadataRecord {
	level := func(name string, l metadata.Level) schema.MetadataRecord {
		return &schema.FeatureLevelRecord{Name: name, FeatureLevel: int16(l)}
	}
	return []schema.MetadataRecord{
		level(metadata.MetadataVersionFeature, metadata.LatestMetadataVersion),
		level(metadata.ELRFeature, 1),
		level(metadata.GroupFeature, 1),
		level(metadata.ShareFeature, 2),
		level(metadata.StreamsFeature, 1),
		level(metadata.TransactionFeature, 2),
	}
}
