package load

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/record"
)

// Batch is one that was built before, to be sent many times.
type Batch struct {
	Bytes        []byte
	Records      int
	Uncompressed int // bytes of the batch before compression
}

// Value is a record's value that looks like JSON, of size bytes: fields that repeat, and numbers that do not.
func Value(rng *rand.Rand, size int) []byte {
	value := make([]byte, 0, size+80)
	for i := 0; len(value) < size; i++ {
		value = fmt.Appendf(value, `{"id":%d,"user":"user-%06d","event":"page_view","took_ms":%d},`, i, rng.IntN(1e6), rng.IntN(1e4))
	}
	return value[:size]
}

// NewBatch builds a batch of size bytes at the most, uncompressed, with records whose values are of each bytes; it has one
// record at least.
func NewBatch(size, each int, codec compress.Codec) (Batch, error) {
	rng := rand.New(rand.NewPCG(uint64(size), uint64(each)))
	var b record.Builder
	o := record.NewOptions(0, -1)
	o.Codec = codec
	b.Begin(o)
	now := time.Now().UnixMilli()
	const overhead = 16 // of a record, at the most
	for b.Count() == 0 || b.Size()+each+overhead <= size {
		b.Add(now, nil, Value(rng, each))
	}
	uncompressed := b.Size()
	bytes, err := b.AppendTo(nil)
	return Batch{Bytes: bytes, Records: int(b.Count()), Uncompressed: uncompressed}, err
}
