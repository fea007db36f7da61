package contract

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Header is one record header; a nil Value is null.
type Header struct {
	Key   string
	Value []byte
}

// UnmarshalJSON reads ["key", base64 or null].
func (h *Header) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&h.Key, &h.Value})
}

// Record is a record as sent or as read. A nil Key or Value is null.
type Record struct {
	Partition int32    `json:"p"`
	Offset    int64    `json:"-"`
	Time      int64    `json:"t"` // ms since 1970
	Key       []byte   `json:"k"`
	Value     []byte   `json:"v"`
	Headers   []Header `json:"h"`
}

// Digest is what two observers of a topic must agree on.
type Digest struct {
	Count int    `json:"count"`
	Hash  string `json:"hash"`            // of partition, offset, key, value and headers
	Loose string `json:"loose"`           // the same with null taken for empty, for libraries that can't tell them apart
	Times string `json:"times,omitempty"` // of partition, offset and timestamp
}

// Sum computes the digest. The text it hashes is one line a record, ordered by partition and offset.
func Sum(records []Record) Digest {
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b Record) int {
		if a.Partition != b.Partition {
			return int(a.Partition - b.Partition)
		}
		return int(a.Offset - b.Offset)
	})
	content, loose, times := sha256.New(), sha256.New(), sha256.New()
	for _, r := range records {
		var headers strings.Builder
		for _, h := range r.Headers {
			headers.WriteString(h.Key + "=" + text(h.Value) + ";")
		}
		line := fmt.Sprintf("%d|%d|%s|%s|%s\n", r.Partition, r.Offset, text(r.Key), text(r.Value), headers.String())
		io.WriteString(content, line)
		io.WriteString(loose, strings.ReplaceAll(line, "~", ""))
		fmt.Fprintf(times, "%d|%d|%d\n", r.Partition, r.Offset, r.Time)
	}
	short := func(b []byte) string { return hex.EncodeToString(b[:8]) }
	return Digest{Count: len(records), Hash: short(content.Sum(nil)), Loose: short(loose.Sum(nil)), Times: short(times.Sum(nil))}
}

// text is hex, and ~ for null.
func text(b []byte) string {
	if b == nil {
		return "~"
	}
	return hex.EncodeToString(b)
}

// load reads DIR/records.jsonl and numbers the records of each partition from 0, as a new topic will.
func load(dir string) ([]Record, error) {
	f, err := os.Open(filepath.Join(dir, "records.jsonl"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	next := map[int32]int64{}
	var all []Record
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var r Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		r.Offset = next[r.Partition]
		next[r.Partition]++
		all = append(all, r)
	}
	return all, lines.Err()
}
