package metadata

import (
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/schema"
)

// The features of a 4.4 cluster.
const (
	MetadataVersionFeature = "metadata.version"
	KRaftVersionFeature    = "kraft.version"
	TransactionFeature     = "transaction.version"
	GroupFeature           = "group.version"
	ELRFeature             = "eligible.leader.replicas.version"
	ShareFeature           = "share.version"
	StreamsFeature         = "streams.version"
)

// Level is the finalized level of a feature; 0 says that it is off.
type Level int16

// LevelRange is what one node supports of a feature, both ends inclusive.
type LevelRange struct {
	Min, Max Level
}

// Has reports whether the level lies in the range.
func (r LevelRange) Has(l Level) bool { return l >= r.Min && l <= r.Max }

// Features are the finalized feature levels (KIP-584). The zero value has none.
type Features struct {
	levels map[string]Level
}

// Level returns the level of a feature, 0 when it is off or unknown.
func (f *Features) Level(name string) Level { return f.levels[name] }

// MetadataVersion returns the level of metadata.version.
func (f *Features) MetadataVersion() Level { return f.levels[MetadataVersionFeature] }

// ELR reports whether eligible leader replicas are on (KIP-966).
func (f *Features) ELR() bool { return f.levels[ELRFeature] > 0 }

// Names returns the features with a level above 0, sorted.
func (f *Features) Names() []string { return slices.Sorted(maps.Keys(f.levels)) }

func (f *Features) write(w *writer) {
	if l := f.MetadataVersion(); l > 0 {
		w.put(&schema.FeatureLevelRecord{Name: MetadataVersionFeature, FeatureLevel: int16(l)}, 0)
	}
	for _, name := range f.Names() {
		if name != MetadataVersionFeature {
			w.put(&schema.FeatureLevelRecord{Name: name, FeatureLevel: int16(f.levels[name])}, 0)
		}
	}
}
