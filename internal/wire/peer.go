package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// AppendRequest appends a request to another node: h and the body, without the frame's size. It sets req's version to
// h's. An empty client id is sent as null unless HasClientID says otherwise.
func AppendRequest(b []byte, h Header, req kmsg.Request) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(h.Key))
	b = binary.BigEndian.AppendUint16(b, uint16(h.Version))
	b = binary.BigEndian.AppendUint32(b, uint32(h.CorrelationID))
	if h.ClientID != "" || h.HasClientID {
		b = binary.BigEndian.AppendUint16(b, uint16(len(h.ClientID)))
		b = append(b, h.ClientID...)
	} else {
		b = append(b, 0xff, 0xff)
	}
	if flexible, ok := FirstFlexible(h.Key); ok && h.Version >= flexible {
		b = append(b, 0)
	}
	req.SetVersion(h.Version)
	return req.AppendTo(b)
}

// DecodeResponse reads a frame that answers h, whose correlation id it must have. Bytes fields alias the frame.
// It is for answers of this cluster's own nodes: their arrays are not measured before they are decoded.
func DecodeResponse(h Header, frame []byte) (kmsg.Response, error) {
	w := walker{b: frame}
	if id := w.int32(); w.err == nil && id != h.CorrelationID {
		return nil, fmt.Errorf("%w: correlation id %d, want %d", ErrMalformed, id, h.CorrelationID)
	}
	if flexible, ok := FirstFlexible(h.Key); ok && h.Version >= flexible && h.Key != keyAPIVersions {
		w.flexible = true
		w.tags(nil)
	}
	if w.err != nil {
		return nil, fmt.Errorf("response header: %w", w.err)
	}
	resp := responseFor(h.Key)
	if resp == nil {
		return nil, fmt.Errorf("%w: %d", ErrUnknownKey, h.Key)
	}
	resp.SetVersion(h.Version)
	if err := resp.ReadFrom(frame[w.at:]); err != nil {
		return nil, fmt.Errorf("%w: response to %s version %d: %w", ErrMalformed, Name(h.Key), h.Version, err)
	}
	return resp, nil
}

func responseFor(key int16) kmsg.Response {
	if key == KeyRaft {
		return new(RaftResponse)
	}
	return kmsg.ResponseForKey(key)
}
