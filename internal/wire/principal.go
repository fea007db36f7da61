package wire

import (
	"encoding/binary"
	"fmt"
)

// Principal is whom a broker has found its client to be, as it tells the controller with the client's request (KIP-590).
type Principal struct {
	Type, Name string
	// ByToken says that the client came with a delegation token.
	ByToken bool
}

// ReadPrincipal reads Kafka's DefaultPrincipalData, version 0, with its version before it. Errors wrap ErrMalformed and ErrUnsupportedVersion.
func ReadPrincipal(b []byte) (p Principal, err error) {
	if len(b) < 2 {
		return p, fmt.Errorf("%w: a principal of %d bytes", ErrMalformed, len(b))
	}
	if v := int16(binary.BigEndian.Uint16(b)); v != 0 {
		return p, fmt.Errorf("%w: %d of a principal", ErrUnsupportedVersion, v)
	}
	w := walker{b: b, at: 2, flexible: true}
	p.Type, p.Name = string(w.str(false)), string(w.str(false))
	p.ByToken = w.int8() != 0
	w.tags(nil)
	return p, w.err
}
