package producer

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/ottla/ottla/internal/record"
)

// reseal makes the CRC of a snapshot fit, so that fuzzing comes past it.
func reseal(b []byte) []byte {
	b = bytes.Clone(b)
	if len(b) >= entriesAt {
		binary.BigEndian.PutUint32(b[crcAt:], crc32.Checksum(b[countAt:], castagnoli))
	}
	return b
}

// reseq sets a batch's sequence without sealing it.
func reseq(b record.Batch, sequence int32) { binary.BigEndian.PutUint32(b[53:], uint32(sequence)) }
