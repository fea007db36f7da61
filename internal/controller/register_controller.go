package controller

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

func (r RegisterController) handle(c *Controller, t turn) (Result, error) {
	response := kmsg.NewPtrControllerRegistrationResponse()
	response.Version = r.Request.Version
	if !metadata.HasControllers(c.Image().Features.MetadataVersion()) {
		response.ErrorCode = kerr.UnsupportedVersion.Code
		return Result{Response: response}, nil
	}
	response.ErrorMessage = new("") // as Kafka has it
	n := &metadata.ControllerNode{
		ID:          kafka.NodeID(r.Request.ControllerID),
		Incarnation: r.Request.IncarnationID,
		Features:    make(map[string]metadata.LevelRange, len(r.Request.Features)),
	}
	for _, l := range r.Request.Listeners {
		n.Endpoints = append(n.Endpoints, metadata.Endpoint{
			Listener: l.Name, Host: l.Host, Port: l.Port, Protocol: metadata.SecurityProtocol(l.SecurityProtocol),
		})
	}
	for _, f := range r.Request.Features {
		n.Features[f.Name] = metadata.LevelRange{
			Min: metadata.Level(f.MinSupportedVersion), Max: metadata.Level(f.MaxSupportedVersion),
		}
	}
	var out records
	out.add(n.Record(), 0)
	return Result{Records: out, Response: response}, nil
}
