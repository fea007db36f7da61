package api

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/wire"
)

// forwardable are the APIs that an Envelope may hold, as in Kafka 4.4, in ascending order.
var forwardable = []int16{19, 20, 30, 31, 33, 37, 38, 39, 40, 43, 44, 45, 46, 49, 51, 55, 57, 64, 67, 80, 81, 94}

// Envelope, key 58, version 0, on the controller listener. KIP-590: a broker of Kafka's passes its client's request on, with the principal
// and the address of that client. The answer has that request's own answer in it, header and all.
func envelope(c *call, req *kmsg.EnvelopeRequest) *kmsg.EnvelopeResponse {
	resp := kmsg.NewPtrEnvelopeResponse()
	inner, err := openEnvelope(c, req)
	if err == nil {
		resp.ResponseData, err = inner()
	}
	resp.ErrorCode = code(err)
	return resp
}

// openEnvelope checks an envelope and gives what handles the request in it.
func openEnvelope(c *call, req *kmsg.EnvelopeRequest) (func() ([]byte, error), error) {
	if _, err := wire.ReadPrincipal(req.RequestPrincipal); err != nil {
		return nil, kerr.PrincipalDeserializationFailure
	}
	if n := len(req.ClientHostAddress); n != 4 && n != 16 {
		return nil, kerr.InvalidRequest
	}
	in := call{Node: c.Node, req: c.req, on: c.on, listener: c.listener}
	body, err := in.hdr.Parse(req.RequestData)
	switch {
	case err != nil: // Kafka's word for whatever it can't read
		return nil, kerr.UnsupportedVersion
	case !slices.Contains(forwardable, in.hdr.Key):
		return nil, kerr.InvalidRequest
	}
	row := find(in.hdr.Key, c.on)
	if row == nil || row.handle == nil || !row.Has(in.hdr.Version) {
		return nil, kerr.UnsupportedVersion
	}
	asked, err := wire.Decode(in.hdr, body)
	if err != nil {
		return nil, kerr.UnsupportedVersion
	}
	return func() ([]byte, error) {
		answer := row.handle(&in, asked)
		if answer == nil { // this controller is not the active one, or no longer: the broker looks for another
			return nil, kerr.NotController
		}
		return wire.AppendResponse(nil, in.hdr, answer), nil
	}, nil
}
