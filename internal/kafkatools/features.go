package kafkatools

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// Types of an update of a feature.
const (
	upgrade         = 1
	safeDowngrade   = 2
	unsafeDowngrade = 3
)

// featuresTool is kafka-features.
type featuresTool struct {
	*jopt.Command
	*connectionArgs
	w *World

	node, mapped, depends *jopt.Arg
	changes               map[string]*featureChange
}

// featureChange are the options of upgrade, downgrade and disable.
type featureChange struct{ metadata, release, feature, unsafe, dryRun *jopt.Arg }

func newFeaturesTool(w *World) *featuresTool {
	c := jopt.NewCommand("kafka-features", "This tool manages feature flags in Kafka.")
	t := &featuresTool{Command: c, connectionArgs: connectsArgs(c), w: w, changes: map[string]*featureChange{}}
	d := c.Sub("describe", "Describe the features and their levels.")
	t.node = d.Option("The node to ask; any, if it is not given.", "--node-id").Int()
	for _, name := range []string{"upgrade", "downgrade", "disable"} {
		sub := c.Sub(name, "Change the levels of features: "+name+".")
		ch := &featureChange{}
		if name != "disable" {
			ch.metadata = sub.Option("The level of metadata.version, such as 3.3-IV3.", "--metadata")
			ch.release = sub.Option("The release whose levels all features get.", "--release-version")
		}
		ch.feature = sub.Option("A feature and its level, as feature=level; for disable its name alone.", "--feature")
		if name != "upgrade" {
			ch.unsafe = sub.Flag("Lose metadata if it must be.", "--unsafe")
		}
		ch.dryRun = sub.Flag("Say whether it could be done, and do nothing.", "--dry-run")
		t.changes[name] = ch
	}
	m := c.Sub("version-mapping", "Print the levels of features that go with a release.")
	t.mapped = m.Option("The release; the latest, if it is not given.", "--release-version")
	dep := c.Sub("feature-dependencies", "Print what levels of features depend on.")
	t.depends = dep.Option("A feature and its level, as feature=level.", "--feature").Required()
	return t
}

func featuresMain(ctx context.Context, w *World, args []string) int {
	t := newFeaturesTool(w)
	f, exit, goOn := w.parseCommand(t.Command, args)
	if !goOn {
		return exit
	}
	if err := t.run(ctx, f); err != nil {
		w.errorln(err)
		return 1
	}
	return 0
}

func (t *featuresTool) run(ctx context.Context, f *jopt.Found) error {
	switch f.Sub {
	case "version-mapping":
		return t.w.featureMapping(f.Value(t.mapped))
	case "feature-dependencies":
		return t.w.featureDependencies(f.Values(t.depends))
	}
	all, err := t.settings(f)
	if err != nil {
		return err
	}
	if all[bootstrapServers] == "" {
		return errNoServer
	}
	c, err := open(all)
	if err != nil {
		return err
	}
	defer c.Close()
	if f.Sub == "describe" {
		return t.describe(ctx, c, f)
	}
	return t.change(ctx, c, f, t.changes[f.Sub])
}

func (t *featuresTool) describe(ctx context.Context, c *client, f *jopt.Found) error {
	var resp *kmsg.ApiVersionsResponse
	var err error
	if f.Has(t.node) {
		if f.Int(t.node) < 0 {
			return fmt.Errorf("Invalid node id %d: must be non-negative.", f.Int(t.node))
		}
		resp, err = askNode[*kmsg.ApiVersionsResponse](ctx, c, f.Int(t.node), "describeFeatures", apiVersionsRequest())
	} else {
		resp, err = askAny[*kmsg.ApiVersionsResponse](ctx, c, "describeFeatures", apiVersionsRequest())
	}
	if err == nil {
		err = javaCode(resp.ErrorCode, nil)
	}
	if err != nil {
		return err
	}
	epoch := "-"
	if resp.FinalizedFeaturesEpoch >= 0 {
		epoch = strconv.FormatInt(resp.FinalizedFeaturesEpoch, 10)
	}
	finalized := map[string]int16{}
	for _, f := range resp.FinalizedFeatures {
		finalized[f.Name] = f.MaxVersionLevel
	}
	slices.SortFunc(resp.SupportedFeatures, func(a, b kmsg.ApiVersionsResponseSupportedFeature) int { return cmp.Compare(a.Name, b.Name) })
	for _, f := range resp.SupportedFeatures {
		t.w.printf("Feature: %-40s  SupportedMinVersion: %-15s  SupportedMaxVersion: %-15s  FinalizedVersionLevel: %-15s  Epoch: %s\n",
			f.Name, t.level(f.Name, f.MinVersion), t.level(f.Name, f.MaxVersion), t.level(f.Name, finalized[f.Name]), epoch)
	}
	return nil
}

// level is a level as Apache's tool prints it: that of metadata.version has a name.
func (t *featuresTool) level(feature string, level int16) string {
	if feature != metadataVersion {
		return strconv.Itoa(int(level))
	}
	name, err := metadataVersionName(level, t.w.Compat)
	if err != nil {
		return fmt.Sprintf("UNKNOWN %d", level)
	}
	return name
}

// parseFeature reads NAME=LEVEL.
func parseFeature(s string) (string, int16, error) {
	name, word, ok := strings.Cut(s, "=")
	if !ok {
		return "", 0, errors.New("Can't parse feature=level string " + s + ": equals sign not found.")
	}
	name, word = strings.TrimSpace(name), strings.TrimSpace(word)
	n, err := strconv.ParseInt(word, 10, 16)
	if err != nil {
		return "", 0, errors.New("Can't parse feature=level string " + s + ": unable to parse " + word + " as a short.")
	}
	return name, int16(n), nil
}

// updates are the levels that a command line asks for.
func (t *featuresTool) updates(f *jopt.Found, ch *featureChange) (map[string]int16, error) {
	levels := map[string]int16{}
	put := func(name string, level int16) error {
		if _, twice := levels[name]; twice {
			return errors.New("Feature " + name + " was specified more than once.")
		}
		levels[name] = level
		return nil
	}
	if f.Sub == "disable" {
		for _, name := range f.Values(ch.feature) {
			if err := put(name, 0); err != nil {
				return nil, err
			}
		}
		return levels, nil
	}
	if f.Has(ch.release) {
		if f.Has(ch.metadata) || f.Has(ch.feature) {
			return nil, errors.New("Can not specify `release-version` with other feature flags.")
		}
		version, err := parseMetadataVersion(f.Value(ch.release), t.w.Compat)
		if err != nil {
			return nil, err
		}
		levels[metadataVersion] = version
		for _, feature := range features(t.w.Compat) {
			if level := feature.defaultAt(version); level > 0 || f.Sub == "downgrade" {
				levels[feature.name] = level
			}
		}
	}
	if f.Has(ch.metadata) {
		t.w.println(" `metadata` flag is deprecated and may be removed in a future release.")
		version, err := parseMetadataVersion(f.Value(ch.metadata), t.w.Compat)
		if err != nil {
			return nil, err
		}
		levels[metadataVersion] = version
	}
	for _, word := range f.Values(ch.feature) {
		name, level, err := parseFeature(word)
		if err == nil {
			err = put(name, level)
		}
		if err != nil {
			return nil, err
		}
	}
	return levels, nil
}

func (t *featuresTool) change(ctx context.Context, c *client, f *jopt.Found, ch *featureChange) error {
	levels, err := t.updates(f, ch)
	if err != nil {
		return err
	}
	if len(levels) == 0 {
		return errors.New("You must specify at least one feature to " + f.Sub)
	}
	kind := int8(upgrade)
	if f.Sub != "upgrade" {
		kind = safeDowngrade
		if f.Has(ch.unsafe) {
			kind = unsafeDowngrade
		}
	}
	dryRun := f.Has(ch.dryRun)
	failed, err := c.updateFeatures(ctx, levels, kind, dryRun)
	if err != nil {
		return err
	}
	var failures int
	for _, name := range sortedKeys(levels) {
		what := f.Sub + " " + name
		done := f.Sub + "d."
		if f.Sub != "disable" {
			what += fmt.Sprintf(" to %d", levels[name])
			done = fmt.Sprintf("%sd to %d.", f.Sub, levels[name])
		}
		could, was := "Could not ", " was "
		if dryRun {
			could, was = "Can not ", " can be "
		}
		if err := failed[name]; err != nil {
			failures++
			t.w.println(could + what + ". " + err.Error())
			continue
		}
		t.w.println(name + was + done)
	}
	if failures > 0 {
		return fmt.Errorf("%d out of %d operation(s) failed.", failures, len(levels))
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// updateFeatures asks for levels; the errors are those of each feature.
func (c *client) updateFeatures(ctx context.Context, levels map[string]int16, kind int8, dryRun bool) (map[string]error, error) {
	req := kmsg.NewPtrUpdateFeaturesRequest()
	req.TimeoutMillis, req.ValidateOnly = c.timeoutMillis(), dryRun
	for _, name := range sortedKeys(levels) {
		u := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
		u.Feature, u.MaxVersionLevel, u.UpgradeType = name, levels[name], kind
		req.FeatureUpdates = append(req.FeatureUpdates, u)
	}
	resp, err := ask[*kmsg.UpdateFeaturesResponse](ctx, c, "updateFeatures", req)
	if err != nil {
		return nil, err
	}
	failed := map[string]error{}
	if err := javaCode(resp.ErrorCode, resp.ErrorMessage); err != nil {
		for name := range levels {
			failed[name] = err
		}
	}
	for _, r := range resp.Results {
		failed[r.Feature] = javaCode(r.ErrorCode, r.ErrorMessage)
	}
	return failed, nil
}
