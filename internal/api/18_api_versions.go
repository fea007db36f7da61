package api

import (
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// ApiVersions, key 18, versions 0 to 5. KIP-35, KIP-511 (client software), KIP-584 (features), KIP-1022 (features
// whose lowest level is 0 are listed from version 4 on), KIP-1242 (version 5 checks cluster and node id).
//
// It answers any version: one that it does not know with version 0, UNSUPPORTED_VERSION and the range of ApiVersions.
func apiVersions(c *call, req *kmsg.ApiVersionsRequest) *kmsg.ApiVersionsResponse {
	resp := kmsg.NewPtrApiVersionsResponse()
	if err := checkClient(c, req); err != nil {
		resp.ErrorCode = code(err)
		return resp
	}
	resp.ApiKeys = advertised(c.on)
	if req.Version < 3 {
		return resp
	}
	image := c.image()
	supported := controller.DefaultSupported()
	for _, name := range slices.Sorted(maps.Keys(supported)) {
		levels := supported[name]
		if levels.Min == 0 && req.Version < 4 {
			continue
		}
		s := kmsg.NewApiVersionsResponseSupportedFeature()
		s.Name, s.MinVersion, s.MaxVersion = name, int16(levels.Min), int16(levels.Max)
		resp.SupportedFeatures = append(resp.SupportedFeatures, s)
	}
	resp.FinalizedFeaturesEpoch = int64(image.Offset)
	for _, name := range image.Features.Names() {
		resp.FinalizedFeatures = append(resp.FinalizedFeatures, finalized(name, int16(image.Features.Level(name))))
	}
	// kraft.version is a control record of the metadata log (KIP-853); 0 is not listed.
	if level := c.Quorum.Status().KRaftVersion; level > 0 {
		resp.FinalizedFeatures = append(resp.FinalizedFeatures, finalized(metadata.KRaftVersionFeature, level))
	}
	return resp
}

func finalized(name string, level int16) kmsg.ApiVersionsResponseFinalizedFeature {
	f := kmsg.NewApiVersionsResponseFinalizedFeature()
	f.Name, f.MinVersionLevel, f.MaxVersionLevel = name, level, level
	return f
}

// checkClient refuses a client that is not named as KIP-511 wants it, or that wanted another node or cluster.
func checkClient(c *call, req *kmsg.ApiVersionsRequest) error {
	if req.Version >= 3 && (!softwareName(req.ClientSoftwareName) || !softwareName(req.ClientSoftwareVersion)) {
		return kerr.InvalidRequest
	}
	if req.Version < 5 {
		return nil
	}
	switch named := req.NodeID != int32(kafka.NoNode); {
	case named != (req.ClusterID != nil):
		return kerr.InvalidRequest // both or none
	case c.on == onController: // which does not look at them
	case named && (*req.ClusterID != c.ClusterID || kafka.NodeID(req.NodeID) != c.id()):
		return kerr.RebootstrapRequired
	}
	return nil
}

// softwareName reports whether s is a letter or digit, then letters, digits, dots and dashes, not ending in one.
func softwareName(s string) bool {
	if s == "" {
		return false
	}
	alnum := func(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' }
	for i := range len(s) {
		inner := i > 0 && i < len(s)-1 && (s[i] == '.' || s[i] == '-')
		if !alnum(s[i]) && !inner {
			return false
		}
	}
	return true
}

// advertised lists the APIs of a listener.
func advertised(on listeners) []kmsg.ApiVersionsResponseApiKey {
	var keys []kmsg.ApiVersionsResponseApiKey
	for _, r := range table {
		if r.on&on == 0 || r.Key == wire.KeyRaft {
			continue
		}
		k := kmsg.NewApiVersionsResponseApiKey()
		k.ApiKey, k.MinVersion, k.MaxVersion = r.Key, r.advertisedMin, r.Max
		keys = append(keys, k)
	}
	return keys
}

func unsupportedAPIVersions(on listeners) *kmsg.ApiVersionsResponse {
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.ErrorCode = kerr.UnsupportedVersion.Code
	for _, k := range advertised(on) {
		if k.ApiKey == apiVersionsKey {
			resp.ApiKeys = append(resp.ApiKeys, k)
		}
	}
	return resp
}
