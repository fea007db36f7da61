package controller

import (
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// The upgrade types of UpdateFeatures (KIP-778).
const (
	upgrade         = 1
	safeDowngrade   = 2
	unsafeDowngrade = 3
)

func (u UpdateFeatures) handle(c *Controller, t turn) (Result, error) {
	req := u.Request
	response := kmsg.NewPtrUpdateFeaturesResponse()
	response.Version = req.Version
	var out records
	var refused *refusal
	raised := false
	// Features that come with a metadata.version may be raised in one request with it.
	version := c.level()
	for _, u := range req.FeatureUpdates {
		if u.Feature == metadata.MetadataVersionFeature {
			version = metadata.Level(u.MaxVersionLevel)
		}
	}
	for i := range req.FeatureUpdates {
		update := &req.FeatureUpdates[i]
		again := slices.ContainsFunc(req.FeatureUpdates[i+1:], func(u kmsg.UpdateFeaturesRequestFeatureUpdate) bool {
			return u.Feature == update.Feature
		})
		if again {
			continue // of two updates of a feature the last counts
		}
		kind := update.UpgradeType
		if req.Version == 0 {
			kind = upgrade // its flag to allow a downgrade has no effect in Kafka 4
		}
		if refused = c.updateFeature(&out, update.Feature, metadata.Level(update.MaxVersionLevel), kind, version, u.VotersTold || req.ValidateOnly); refused != nil {
			break
		}
		raised = raised || update.Feature == metadata.KRaftVersionFeature && metadata.Level(update.MaxVersionLevel) > c.cfg.KRaftVersion
	}
	if refused != nil {
		// All or nothing: the first refusal answers for the request.
		response.ErrorCode = refused.code.Code
		response.ErrorMessage = new("The update failed for all features since the following feature had an error: " + *refused.message)
		return Result{Response: response}, nil
	}
	if req.Version <= 1 {
		for i := range req.FeatureUpdates {
			result := kmsg.NewUpdateFeaturesResponseResult()
			result.Feature = req.FeatureUpdates[i].Feature
			result.ErrorMessage = new("NONE") // as Kafka has it
			response.Results = append(response.Results, result)
		}
	}
	if req.ValidateOnly {
		out, raised = nil, false
	}
	return Result{Records: out, VotersIntoLog: raised, Response: response}, nil
}

// updateFeature is one update; told says that kraft.version may be raised as far as the voters' directories are concerned.
func (c *Controller) updateFeature(out *records, name string, level metadata.Level, kind int8, version metadata.Level, told bool) *refusal {
	invalid := func(why string) *refusal {
		return refuse(kerr.InvalidUpdateVersion, "Invalid update version %d for feature %s. %s", level, name, why)
	}
	current := c.Image().Features.Level(name)
	if name == metadata.KRaftVersionFeature {
		current = c.cfg.KRaftVersion
	}
	switch {
	case kind < upgrade || kind > unsafeDowngrade:
		return invalid("The controller does not support the given upgrade type.")
	case level < 0:
		return invalid("A feature version cannot be less than 0.")
	}
	if why := c.unsupported(name, level); why != "" {
		return invalid(why)
	}
	switch {
	case level < current && kind == upgrade:
		return invalid("Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.")
	case level > current && kind != upgrade:
		return invalid("Can't downgrade to a newer version.")
	case name == metadata.MetadataVersionFeature && level < current:
		return refuseDowngrade(current, level, kind)
	case name == metadata.KRaftVersionFeature && level < current:
		return invalid("Can't downgrade the version of this feature.")
	case name == metadata.KRaftVersionFeature && level > current && !told:
		return invalid("The members of a static quorum have not all told their directories.")
	case name == metadata.KRaftVersionFeature:
		return nil // it is the quorum's own, not a record of the metadata
	}
	if why := missingDependency(name, level, version); why != "" {
		return invalid(why)
	}
	out.add(&schema.FeatureLevelRecord{Name: name, FeatureLevel: int16(level)}, 0)
	if name == metadata.ELRFeature && level > 0 && current == 0 {
		cluster := metadata.ConfigResource{Type: metadata.BrokerResource}
		if _, set := c.Image().Configs.Of(cluster)[minInSyncReplicas]; !set {
			out.add(c.minInSyncRecord(), 0)
		}
		for _, r := range c.Image().Configs.Resources(metadata.BrokerResource) {
			if _, set := c.Image().Configs.Of(r)[minInSyncReplicas]; set && r.Name != "" {
				out.add(&schema.ConfigRecord{ResourceType: int8(r.Type), ResourceName: r.Name, Name: minInSyncReplicas}, 0)
			}
		}
	}
	if name == metadata.ELRFeature && level == 0 && current > 0 {
		out.add(&schema.ClearELRRecord{}, 0)
	}
	return nil
}

// refuseDowngrade refuses to take metadata.version back: records of newer versions are in the log.
func refuseDowngrade(from, to metadata.Level, kind int8) *refusal {
	why := "Refusing to perform the requested downgrade because it might delete metadata information."
	if kind == unsafeDowngrade {
		why = "Unsafe metadata downgrade is not supported in this version."
	}
	return refuse(kerr.InvalidUpdateVersion, "Unsupported metadata.version downgrade from %d to %d. %s", from, to, why)
}

// unsupported says which node can't do a level, or "".
func (c *Controller) unsupported(name string, level metadata.Level) string {
	own, known := c.cfg.Supported[name]
	if why := outside(fmt.Sprintf("Local controller %d", c.cfg.NodeID), own, known, level); why != "" {
		return why
	}
	cluster := c.Image().Cluster
	for _, b := range cluster.Brokers() {
		r, ok := b.Features[name]
		if why := outside(fmt.Sprintf("Broker %d", b.ID), r, ok, level); why != "" {
			return why
		}
	}
	for _, n := range cluster.Controllers() {
		r, ok := n.Features[name]
		if why := outside(fmt.Sprintf("Controller %d", n.ID), r, ok, level); n.ID != c.cfg.NodeID && why != "" {
			return why
		}
	}
	for _, id := range slices.Sorted(slices.Values(c.cfg.Voters)) {
		if id != c.cfg.NodeID && cluster.Controller(id) == nil {
			return fmt.Sprintf("controller %d has not registered, and may not support this feature", id)
		}
	}
	return ""
}

func outside(node string, r metadata.LevelRange, known bool, level metadata.Level) string {
	switch {
	case !known && level != 0, known && r == (metadata.LevelRange{}) && level != 0:
		return node + " does not support this feature."
	case !r.Has(level):
		return fmt.Sprintf("%s only supports versions %d-%d", node, r.Min, r.Max)
	}
	return ""
}

// missingDependency says which metadata.version a level needs and version is not, or "". One feature alone depends on one: the others
// may be raised before it.
func missingDependency(name string, level, version metadata.Level) string {
	if name != metadata.ELRFeature || level == 0 || version >= elrNeeds {
		return ""
	}
	return fmt.Sprintf("%s could not be set to %d because it depends on metadata.version level %d", name, level, elrNeeds)
}

// elrNeeds is 4.0-IV1, which has records of eligible leaders.
const elrNeeds metadata.Level = 23
