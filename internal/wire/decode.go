package wire

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func fieldError(name string, err error) error { return fmt.Errorf("%s: %w", name, err) }

// Check reports whether body is a request of h's key and version, without decoding it and without allocating.
// The errors are ErrUnknownKey, ErrUnsupportedVersion and ErrMalformed, which names the field.
func Check(h Header, body []byte) error {
	_, err := check(h, body)
	return err
}

// check also says whether there are unknown tagged fields.
func check(h Header, body []byte) (unknown bool, err error) {
	l := layoutOf(h.Key)
	switch {
	case l == nil:
		return false, fmt.Errorf("%w: %d", ErrUnknownKey, h.Key)
	case h.Version < l.first || h.Version > l.last:
		return false, fmt.Errorf("%w: %s version %d", ErrUnsupportedVersion, l.name, h.Version)
	}
	w := walker{b: body, version: h.Version, flexible: h.Version >= l.flexible}
	w.fields(l.fields)
	if w.err != nil {
		return false, fmt.Errorf("%s version %d: %w", l.name, h.Version, w.err)
	}
	return w.unknown, nil
}

// Decode checks body as Check does, then decodes it. Bytes fields, records among them, alias body; strings are copies.
// Unknown tagged fields are gone from the request.
func Decode(h Header, body []byte) (kmsg.Request, error) {
	unknown, err := check(h, body)
	if err != nil {
		return nil, err
	}
	if unknown {
		body = strip(h, body)
	}
	req := kmsg.RequestForKey(h.Key)
	req.SetVersion(h.Version)
	if err := req.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("%w: %s version %d: %w", ErrMalformed, Name(h.Key), h.Version, err)
	}
	return req, nil
}

// AppendResponse appends the response to h: header and body, without the frame's size. It sets resp's version to h's.
func AppendResponse(b []byte, h Header, resp kmsg.Response) []byte {
	resp.SetVersion(h.Version)
	return resp.AppendTo(AppendResponseHeader(b, h))
}
