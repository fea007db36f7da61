package storage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/metadata"
)

// Release is a level of metadata.version and the levels of the other features that came with it.
type Release struct {
	Name     string // "4.4-IV2"
	Metadata metadata.Level
	// Defaults are the features that a new cluster of this release starts with, without those of level 0.
	Defaults map[string]metadata.Level
}

// releases lists the levels that a 4.4 node knows, oldest first.
var releases = makeReleases(
	"3.3-IV3 3.4-IV0 3.5-IV0 3.5-IV1 3.5-IV2 3.6-IV0 3.6-IV1 3.6-IV2 3.7-IV0 3.7-IV1 3.7-IV2 3.7-IV3 3.7-IV4 3.8-IV0" +
		" 3.9-IV0 4.0-IV0 4.0-IV1 4.0-IV2 4.0-IV3 4.1-IV0 4.1-IV1 4.2-IV0 4.2-IV1 4.3-IV0 4.4-IV0 4.4-IV1 4.4-IV2")

// introductions say from which release on a new cluster has a feature at a level.
var introductions = []struct {
	release string
	feature string
	level   metadata.Level
}{
	{"3.9-IV0", metadata.KRaftVersionFeature, 1},
	{"4.0-IV0", metadata.GroupFeature, 1},
	{"4.0-IV2", metadata.TransactionFeature, 2},
	{"4.1-IV0", metadata.ELRFeature, 1},
	{"4.2-IV0", metadata.ShareFeature, 1},
	{"4.2-IV1", metadata.StreamsFeature, 1},
	{"4.4-IV0", metadata.ShareFeature, 2},
}

func makeReleases(names string) []Release {
	var all []Release
	defaults := map[string]metadata.Level{}
	for i, name := range strings.Fields(names) {
		next := map[string]metadata.Level{}
		for f, l := range defaults {
			next[f] = l
		}
		for _, in := range introductions {
			if in.release == name {
				next[in.feature] = in.level
			}
		}
		defaults = next
		all = append(all, Release{Name: name, Metadata: metadata.MinMetadataVersion + metadata.Level(i), Defaults: defaults})
	}
	return all
}

// Latest is the release that a new cluster starts with unless told otherwise.
func Latest() Release { return releases[len(releases)-1] }

// FindRelease finds a release by its name ("4.4-IV2") or a prefix of it ("4.0": the newest of 4.0). The error is Kafka's.
func FindRelease(name string) (Release, error) {
	for _, r := range slices.Backward(releases) {
		release, _, _ := strings.Cut(r.Name, "-")
		if name == r.Name || name == release || strings.HasPrefix(name, release+".") {
			return r, nil
		}
	}
	var names []string
	for _, r := range releases {
		names = append(names, r.Name)
	}
	return Release{}, fmt.Errorf("Unknown metadata.version '%s'. Supported metadata.version are: %s", name, strings.Join(names, ", "))
}

// releaseAt finds a release by its level.
func releaseAt(l metadata.Level) (Release, bool) {
	i := int(l - metadata.MinMetadataVersion)
	if i < 0 || i >= len(releases) {
		return Release{}, false
	}
	return releases[i], true
}

// features are those that format can set beside metadata.version, sorted, with their greatest levels.
var features = []struct {
	name string
	max  metadata.Level
}{
	{metadata.ELRFeature, 1},
	{metadata.GroupFeature, 1},
	{metadata.KRaftVersionFeature, metadata.LatestKRaftVersion},
	{metadata.ShareFeature, 2},
	{metadata.StreamsFeature, 1},
	{metadata.TransactionFeature, 2},
}

// effective joins the defaults of a release with the levels that were asked for, and gives the release in force.
func effective(release string, asked map[string]metadata.Level) (Release, map[string]metadata.Level, error) {
	r := Latest()
	level, byLevel := asked[metadata.MetadataVersionFeature]
	switch {
	case byLevel && release != "":
		return r, nil, fmt.Errorf("Use --release-version instead of --feature metadata.version=X to avoid ambiguity.")
	case byLevel:
		var ok bool
		if r, ok = releaseAt(level); !ok {
			return r, nil, fmt.Errorf("No MetadataVersion with feature level %d. Valid feature levels are from %d to %d.",
				level, metadata.MinMetadataVersion, metadata.LatestMetadataVersion)
		}
	case release != "":
		var err error
		if r, err = FindRelease(release); err != nil {
			return r, nil, err
		}
	}
	levels := map[string]metadata.Level{}
	for f, l := range r.Defaults {
		levels[f] = l
	}
	for f, l := range asked {
		if f != metadata.MetadataVersionFeature {
			levels[f] = l
		}
	}
	return r, levels, checkLevels(r, levels)
}

// checkLevels looks at names, ranges and dependencies.
func checkLevels(r Release, levels map[string]metadata.Level) error {
	known := map[string]metadata.Level{}
	var names []string
	for _, f := range features {
		known[f.name] = f.max
		names = append(names, f.name)
	}
	for _, f := range sortedNames(levels) {
		limit, ok := known[f]
		if !ok {
			return fmt.Errorf("Unsupported feature: %s. Supported features are: %s", f, strings.Join(names, ", "))
		}
		if levels[f] < 0 || levels[f] > limit {
			return fmt.Errorf("No feature:%s with feature level %d", f, levels[f])
		}
	}
	if levels[metadata.ELRFeature] > 0 && !metadata.HasELR(r.Metadata) {
		return fmt.Errorf("eligible.leader.replicas.version could not be set to 1 because it depends on metadata.version level %d", elrNeeds)
	}
	return nil
}

// elrNeeds is the metadata.version that eligible.leader.replicas.version 1 depends on.
const elrNeeds metadata.Level = 23

func sortedNames(levels map[string]metadata.Level) []string {
	names := make([]string, 0, len(levels))
	for f := range levels {
		names = append(names, f)
	}
	slices.Sort(names)
	return names
}
