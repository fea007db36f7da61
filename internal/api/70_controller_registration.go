package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// ControllerRegistration, key 70, version 0, on the controller listener. KIP-919: where a controller can be reached, and what it supports.
func controllerRegistration(c *call, req *kmsg.ControllerRegistrationRequest) *kmsg.ControllerRegistrationResponse {
	return submit[*kmsg.ControllerRegistrationResponse](c, controller.RegisterController{Request: req})
}
