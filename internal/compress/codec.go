package compress

import (
	"errors"
	"fmt"
	"strings"
)

// Codec is the compression of a record batch: the lowest three bits of its attributes.
type Codec int8

// The codecs of record batch v2. The numbers are the wire's.
const (
	None   Codec = 0
	Gzip   Codec = 1
	Snappy Codec = 2
	LZ4    Codec = 3
	Zstd   Codec = 4
)

// DefaultLevel asks for the codec's own default level, as Kafka's compression.{gzip,lz4,zstd}.level do.
const DefaultLevel = -1 << 31

// Errors of this package, to be told apart with errors.Is.
var (
	// ErrCorrupt says that the input is not a well-formed stream of its codec.
	ErrCorrupt = errors.New("compressed data is corrupt")
	// ErrTooLarge says that the output would pass the caller's limit.
	ErrTooLarge = errors.New("decompressed data is larger than allowed")
	// ErrUnknownCodec says that the attributes name none of the five codecs.
	ErrUnknownCodec = errors.New("unknown compression codec")
)

var names = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// Valid reports whether c is one of the five codecs; 5 to 7 fit the attributes but mean nothing.
func (c Codec) Valid() bool { return c >= None && int(c) < len(names) }

// String returns Kafka's name of the codec, as in compression.type.
func (c Codec) String() string {
	if !c.Valid() {
		return fmt.Sprintf("codec(%d)", int8(c))
	}
	return names[c]
}

// Parse returns the codec that Kafka's configuration calls name: none, uncompressed, gzip, snappy, lz4 or zstd.
func Parse(name string) (Codec, error) {
	if strings.EqualFold(name, "uncompressed") {
		return None, nil
	}
	for i, n := range names {
		if strings.EqualFold(n, name) {
			return Codec(i), nil
		}
	}
	return None, fmt.Errorf("%w: %q", ErrUnknownCodec, name)
}

// Bounds of Limit.
const (
	maxRatio   = 1000
	freeOutput = 64 << 20
)

// Limit returns how many bytes n compressed ones may become: up to 1,000 times as many, at least 64 MiB (a few bytes of
// equal records compress further than any ratio), and never more than most (the topic's max.decompressed.message.bytes).
func Limit(n, most int) int {
	return min(max(n*maxRatio, freeOutput), most)
}
