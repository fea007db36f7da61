package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// ElectLeaders, key 43, versions 0 to 2. KIP-183 (preferred leaders), KIP-460 (unclean elections).
func electLeaders(c *call, req *kmsg.ElectLeadersRequest) *kmsg.ElectLeadersResponse {
	return submit[*kmsg.ElectLeadersResponse](c, controller.ElectLeaders{Request: req})
}
