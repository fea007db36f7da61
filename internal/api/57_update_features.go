package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// UpdateFeatures, key 57, versions 0 to 2. KIP-584, KIP-1022.
func updateFeatures(c *call, req *kmsg.UpdateFeaturesRequest) *kmsg.UpdateFeaturesResponse {
	return submit[*kmsg.UpdateFeaturesResponse](c, controller.UpdateFeatures{Request: req})
}
