package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
)

// record is what the judge is told to send. Byte slices are base64 in JSON; nil is null.
type record struct {
	Partition int32    `json:"p"`
	Time      int64    `json:"t"` // ms since 1970
	Key       []byte   `json:"k"`
	Value     []byte   `json:"v"`
	Headers   []header `json:"h"`
}

// header is a name and a value, which may be null.
type header [2]any

// digest is the first 16 hex digits of the SHA-256 of KEY|VALUE|NAME=VALUE|…, with bytes in hex and null as ~.
func digest(key, value []byte, headers []header) string {
	text := func(b []byte) string {
		if b == nil {
			return "~"
		}
		return hex.EncodeToString(b)
	}
	parts := []string{text(key), text(value)}
	for _, h := range headers {
		b, _ := h[1].([]byte) // null stays nil
		parts = append(parts, fmt.Sprintf("%v=%s", h[0], text(b)))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "|")))
	return hex.EncodeToString(sum[:])[:16]
}

// firstTime is the time of the first record, 2023-11-14; topics are kept for ever.
const firstTime = 1_700_000_000_000

// makeRecords gives n records for some partitions, of all the kinds that there are. A stage's are later than those of
// the stage before, but a few come too late.
func makeRecords(random *rand.Rand, stage, n, partitions int) []record {
	var all []record
	for i := range n {
		r := record{Partition: int32(i % partitions), Time: firstTime + int64(stage)*1_000_000 + int64(i)*1000, Headers: []header{}}
		r.Key = fmt.Appendf(nil, "key-%d", random.IntN(9))
		r.Value = fmt.Appendf(nil, "stage %d, record %d: %x", stage, i, random.Uint64())
		switch random.IntN(9) {
		case 0:
			r.Key = nil
		case 1:
			r.Value = nil
		case 2:
			r.Key, r.Value = []byte{}, []byte{}
		case 3:
			r.Headers = []header{{"trace", []byte("abc")}, {"null", nil}, {"empty", []byte{}}, {"trace", []byte{0, 0xff}}}
		case 4:
			r.Value = []byte(strings.Repeat("Zürich – 東京 ", 50+random.IntN(400)))
		case 5:
			r.Value = make([]byte, 2000+random.IntN(6000))
			for j := range r.Value {
				r.Value[j] = byte(random.Uint32())
			}
		case 6:
			r.Time -= 5500
		}
		all = append(all, r)
	}
	return all
}
