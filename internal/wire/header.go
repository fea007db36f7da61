package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// What is wrong with a request. Errors wrap one of these.
var (
	// ErrMalformed says that the bytes are no such request: too short, or with an impossible length, count or tag.
	ErrMalformed = errors.New("malformed request")
	// ErrUnknownKey says that Kafka 4.4 has no such API key.
	ErrUnknownKey = errors.New("unknown API key")
	// ErrUnsupportedVersion says that the API key is known and its version is not.
	ErrUnsupportedVersion = errors.New("unsupported API version")
)

// keyAPIVersions is the one request whose response header never has tagged fields: its sender does not know yet
// which versions we understand (KIP-511).
const keyAPIVersions = 18

// Header is the header of a request: versions 1 and 2 of Kafka's RequestHeader.
type Header struct {
	Key           int16
	Version       int16
	CorrelationID int32
	// ClientID is empty when the client sent none or null.
	ClientID string
	// HasClientID tells an empty client id from null.
	HasClientID bool
}

// Parse reads the header of a frame, which comes without its size, and returns the body. The tagged fields of the
// header are checked and skipped. Parsing over the last header of the same connection allocates nothing: the client
// id is kept when it is the same.
//
// The errors are ErrMalformed and ErrUnknownKey. With ErrUnknownKey all but ClientID is set; body is nil. An unknown
// version, a negative one even, is no error here: ApiVersions must be answered in any.
func (h *Header) Parse(frame []byte) (body []byte, err error) {
	if len(frame) < 10 {
		return nil, fmt.Errorf("%w: header of %d bytes", ErrMalformed, len(frame))
	}
	h.Key = int16(binary.BigEndian.Uint16(frame))
	h.Version = int16(binary.BigEndian.Uint16(frame[2:]))
	h.CorrelationID = int32(binary.BigEndian.Uint32(frame[4:]))
	flexible, ok := FirstFlexible(h.Key)
	if !ok {
		return nil, fmt.Errorf("%w: %d", ErrUnknownKey, h.Key)
	}
	w := walker{b: frame, at: 8}
	id := w.str(true)
	h.HasClientID = id != nil
	if string(id) != h.ClientID {
		h.ClientID = string(id)
	}
	if h.Version >= flexible {
		w.flexible = true
		w.tags(nil)
	}
	if w.err != nil {
		return nil, fmt.Errorf("header: %w", w.err)
	}
	return frame[w.at:], nil
}

// AppendResponseHeader appends the header of the response to h: version 1 with flexible versions, else version 0.
func AppendResponseHeader(b []byte, h Header) []byte {
	return appendResponseHeader(b, h.Key, h.Version, h.CorrelationID)
}

func appendResponseHeader(b []byte, key, version int16, correlation int32) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	if flexible, ok := FirstFlexible(key); ok && version >= flexible && key != keyAPIVersions {
		b = append(b, 0)
	}
	return b
}
