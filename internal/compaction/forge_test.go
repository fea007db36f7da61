package compaction

import (
	"encoding/binary"
	"testing"

	"github.com/ottla/ottla/internal/record"
)

// forge makes a batch of any records and header, with a right CRC.
func forge(t *testing.T, records []byte, attributes int16, delta, count int32, base int64) record.Batch {
	b := build(t, 0, nil, "a=0")
	b = append(b[:record.HeaderSize:record.HeaderSize], records...)
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-record.LogOverhead))
	binary.BigEndian.PutUint16(b[21:], uint16(attributes))
	binary.BigEndian.PutUint32(b[23:], uint32(delta&0x7fffffff))
	binary.BigEndian.PutUint64(b[27:], uint64(base))
	binary.BigEndian.PutUint32(b[57:], uint32(count))
	binary.BigEndian.PutUint32(b[17:], b.ComputeCRC())
	return b
}
