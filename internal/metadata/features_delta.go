package metadata

import (
	"maps"

	"github.com/ottla/ottla/internal/schema"
)

// featuresDelta is the change of the feature levels. nil says that there is none.
type featuresDelta struct {
	next map[string]Level
}

func (d *Delta) replayFeatureLevel(r *schema.FeatureLevelRecord) {
	if d.features == nil {
		d.features = &featuresDelta{next: maps.Clone(d.base.Features.levels)}
		if d.features.next == nil {
			d.features.next = make(map[string]Level)
		}
	}
	if r.FeatureLevel == 0 {
		delete(d.features.next, r.Name)
		return
	}
	d.features.next[r.Name] = Level(r.FeatureLevel)
}

// Level returns the level of a feature with the delta applied.
func (d *Delta) Level(name string) Level {
	if d.features != nil {
		return d.features.next[name]
	}
	return d.base.Features.Level(name)
}

func (d *featuresDelta) apply(f *Features) *Features {
	if d == nil {
		return f
	}
	return &Features{levels: d.next}
}
