package kafkatools

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const metadataVersion = "metadata.version"

// metadataVersions are the names of the levels of metadata.version, from firstMetadataVersion on.
var metadataVersions = strings.Fields("3.3-IV3 3.4-IV0 3.5-IV0 3.5-IV1 3.5-IV2 3.6-IV0 3.6-IV1 3.6-IV2 3.7-IV0 3.7-IV1 3.7-IV2 3.7-IV3 3.7-IV4 " +
	"3.8-IV0 3.9-IV0 4.0-IV0 4.0-IV1 4.0-IV2 4.0-IV3 4.1-IV0 4.1-IV1 4.2-IV0 4.2-IV1 4.3-IV0 4.4-IV0 4.4-IV1 4.4-IV2 4.5-IV0")

const firstMetadataVersion = 7

// feature is a feature beside metadata.version.
type feature struct {
	name string
	// since are the levels of metadata.version from which on each level of the feature, from 1, is the default; 0 for one that
	// never was.
	since []int16
	// needs is the metadata.version that the highest level depends on, 0 for none.
	needs int16
}

// features are those of a release, in the order in which Apache's tools name them.
func features(r Release) []feature {
	all := []feature{
		{"kraft.version", []int16{21}, 0},
		{"transaction.version", []int16{0, 24}, 0},
		{"group.version", []int16{22}, 0},
		{"eligible.leader.replicas.version", []int16{26}, 23},
		{"share.version", []int16{28}, 0},
		{"streams.version", []int16{29}, 0},
	}
	if r.AtLeast(4, 4) {
		all[4].since = []int16{28, 31}
	}
	return all
}

// defaultAt is the feature's default level with a metadata.version.
func (f feature) defaultAt(version int16) int16 {
	var level int16
	for i, since := range f.since {
		if since > 0 && since <= version {
			level = int16(i + 1)
		}
	}
	return level
}

// knownMetadataVersions are the levels that a release's tools have a name for: those of its own, and what was begun beyond.
func knownMetadataVersions(r Release) []string {
	if r.AtLeast(4, 4) {
		return metadataVersions
	}
	return metadataVersions[:slices.Index(metadataVersions, "4.4-IV0")+1]
}

// latestMetadataVersion is the level that a release formats with.
func latestMetadataVersion(r Release) int16 {
	if r.AtLeast(4, 4) {
		return 33
	}
	return 30
}

// metadataVersionName is the name of a level.
func metadataVersionName(level int16, r Release) (string, error) {
	known := knownMetadataVersions(r)
	i := int(level) - firstMetadataVersion
	if i < 0 || i >= len(known) {
		return "", fmt.Errorf("No MetadataVersion with feature level %d. Valid feature levels are from %d to %d.", level, firstMetadataVersion, firstMetadataVersion+len(known)-1)
	}
	return known[i], nil
}

// parseMetadataVersion reads 4.3-IV0, or 4.3 for the last level of that release.
func parseMetadataVersion(s string, r Release) (int16, error) {
	known := knownMetadataVersions(r)
	if i := slices.Index(known, s); i >= 0 {
		return int16(i + firstMetadataVersion), nil
	}
	for i, name := range slices.Backward(known) {
		level := int16(i + firstMetadataVersion)
		if release, _, _ := strings.Cut(name, "-"); (release == s || strings.HasPrefix(s, release+".")) && level <= latestMetadataVersion(r) && !strings.Contains(s, "-") {
			return level, nil
		}
	}
	return 0, errors.New("Unknown metadata.version '" + s + "'. Supported metadata.version are: " + strings.Join(known, ", "))
}

// featureMapping prints the features that go with a release, as kafka-features and kafka-storage do; "" is the latest.
func (w *World) featureMapping(release string) error {
	level := latestMetadataVersion(w.Compat)
	name, err := metadataVersionName(level, w.Compat)
	if err != nil {
		return err
	}
	name = cmp.Or(release, name)
	if level, err = parseMetadataVersion(name, w.Compat); err != nil {
		return err
	}
	w.printf("%s=%d (%s)\n", metadataVersion, level, name)
	for _, f := range features(w.Compat) {
		w.printf("%s=%d\n", f.name, f.defaultAt(level))
	}
	return nil
}

// featureDependencies prints what features depend on, each given as NAME=LEVEL.
func (w *World) featureDependencies(words []string) error {
	for _, word := range words {
		name, level, err := parseFeature(word)
		if err != nil {
			return err
		}
		if name == metadataVersion {
			version, err := metadataVersionName(level, w.Compat)
			if err != nil {
				return fmt.Errorf("Unknown metadata.version %d", level)
			}
			w.printf("%s=%d (%s) has no dependencies.\n", name, level, version)
			continue
		}
		all := features(w.Compat)
		i := slices.IndexFunc(all, func(f feature) bool { return f.name == name })
		if i < 0 {
			return errors.New("Unknown feature: " + name)
		}
		if level < 0 || int(level) > len(all[i].since) {
			return fmt.Errorf("No feature:%s with feature level %d", name, level)
		}
		if needs := all[i].needs; needs == 0 || int(level) < len(all[i].since) {
			w.printf("%s=%d has no dependencies.\n", name, level)
		} else {
			version, _ := metadataVersionName(needs, w.Compat) // it is in the table
			w.printf("%s=%d requires:\n    %s=%d (%s)\n", name, level, metadataVersion, needs, version)
		}
	}
	return nil
}
