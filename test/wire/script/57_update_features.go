package script

import "github.com/twmb/franz-go/pkg/kmsg"

// The kinds of a feature's change.
const (
	upgrade         = 1
	safeDowngrade   = 2
	unsafeDowngrade = 3
)

func updateFeaturesRequest(feature string, level int16, kind int8) *kmsg.UpdateFeaturesRequest {
	u := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	u.Feature, u.MaxVersionLevel, u.UpgradeType, u.AllowDowngrade = feature, level, kind, kind > upgrade
	req := kmsg.NewPtrUpdateFeaturesRequest()
	req.TimeoutMillis = 10_000
	req.FeatureUpdates = append(req.FeatureUpdates, u)
	return req
}

func updateFeaturesSample(*run) kmsg.Request {
	req := kmsg.NewPtrUpdateFeaturesRequest()
	req.TimeoutMillis = 10_000
	return req
}

func updateFeatures(r *run) {
	to := func(name, feature string, level int16, kind int8) {
		r.do(name, updateFeaturesRequest(feature, level, kind))
	}
	dry := func(name, feature string, level int16, kind int8) {
		req := updateFeaturesRequest(feature, level, kind)
		req.ValidateOnly = true
		if r.version > 0 { // version 0 cannot ask for less than the change
			r.do(name, req)
		}
	}
	r.do("no features", updateFeaturesSample(r))
	to("unknown feature", "no.such.feature", 1, upgrade)
	to("empty name", "", 1, upgrade)
	to("the level it has", "group.version", 1, upgrade)
	to("level too high", "group.version", 99, upgrade)
	to("level negative", "group.version", -1, upgrade)
	to("level 0 as an upgrade", "group.version", 0, upgrade)
	to("metadata.version it has", "metadata.version", 33, upgrade)
	to("metadata.version too high", "metadata.version", 34, upgrade)
	to("metadata.version too low", "metadata.version", 3, unsafeDowngrade)
	to("metadata.version 0", "metadata.version", 0, unsafeDowngrade)
	dry("metadata.version down, safe, validate only", "metadata.version", 32, safeDowngrade)
	dry("metadata.version down as an upgrade, validate only", "metadata.version", 32, upgrade)
	dry("metadata.version down, unsafe, validate only", "metadata.version", 25, unsafeDowngrade)
	dry("share.version down, validate only", "share.version", 0, safeDowngrade)
	dry("share.version down as an upgrade, validate only", "share.version", 0, upgrade)
	dry("transaction.version down, validate only", "transaction.version", 1, safeDowngrade)
	dry("kraft.version up, validate only", "kraft.version", 1, upgrade)
	to("kraft.version it has", "kraft.version", 0, upgrade)
	to("kraft.version too high", "kraft.version", 2, upgrade)
	to("unknown kind of change", "group.version", 0, 9)
	to("kind of change 0", "group.version", 0, 0)
	to("share.version down", "share.version", 0, safeDowngrade)
	to("share.version up again", "share.version", 2, upgrade)
	two := updateFeaturesRequest("group.version", 1, upgrade)
	two.FeatureUpdates = append(two.FeatureUpdates, updateFeaturesRequest("group.version", 9, upgrade).FeatureUpdates...)
	r.do("the same feature twice", two)
	mixed := updateFeaturesRequest("group.version", 1, upgrade)
	mixed.FeatureUpdates = append(mixed.FeatureUpdates, updateFeaturesRequest("no.such.feature", 9, upgrade).FeatureUpdates...)
	r.do("good and bad", mixed)
	zero := updateFeaturesRequest("group.version", 1, upgrade)
	zero.TimeoutMillis = 0
	r.do("timeout 0", zero)
}
