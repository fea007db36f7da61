package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// Suffixes of the files of a partition's folder. Each file of a segment is named by the segment's base offset in 20 digits; a producer
// snapshot by the offset that it reaches up to (exclusive).
const (
	LogSuffix       = ".log"
	IndexSuffix     = ".index"
	TimeIndexSuffix = ".timeindex"
	TxnIndexSuffix  = ".txnindex"
	SnapshotSuffix  = ".snapshot"
	DeletedSuffix   = ".deleted" // added to a name until the file is unlinked
	CleanedSuffix   = ".cleaned" // added by compaction while it writes
	SwapSuffix      = ".swap"    // added by compaction while it replaces
)

// Sizes of index entries, in bytes.
const (
	IndexEntrySize     = 8
	TimeIndexEntrySize = 12
)

// nameDigits is the length of the number in a file name.
const nameDigits = 20

// FileName returns the name of a file of the segment that starts at base.
func FileName(base kafka.Offset, suffix string) string {
	return fmt.Sprintf("%0*d%s", nameDigits, int64(base), suffix)
}

// ParseFileName returns the offset in the name of a file with that suffix, and false if it is no such name. As Kafka does, it takes
// any number of digits.
func ParseFileName(name, suffix string) (kafka.Offset, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || digits == "" || digits[0] < '0' || digits[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return kafka.Offset(n), err == nil
}

// ErrIndex says that an index is not in order, so that it has to be made anew.
var ErrIndex = errors.New("index is not in order")

// IndexEntry says that the batch at Position, or one that was appended together with it, ends with offset base + Relative.
type IndexEntry struct {
	Relative int32
	Position int32
}

// AppendTo appends the entry's bytes to dst.
func (e IndexEntry) AppendTo(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(e.Relative))
	return binary.BigEndian.AppendUint32(dst, uint32(e.Position))
}

// TimeEntry says that no batch up to the one that ends with offset base + Relative has a timestamp above Timestamp (ms).
type TimeEntry struct {
	Timestamp int64
	Relative  int32
}

// AppendTo appends the entry's bytes to dst.
func (e TimeEntry) AppendTo(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.Timestamp))
	return binary.BigEndian.AppendUint32(dst, uint32(e.Relative))
}

// ParseIndex reads an offset index of a segment of logSize bytes. A tail of zeros, which Apache Kafka leaves when it is killed, and a
// cut entry at the end are no error; entries that do not rise, or that point outside the file, are ErrIndex.
func ParseIndex(b []byte, logSize int64) ([]IndexEntry, error) {
	entries := make([]IndexEntry, 0, len(b)/IndexEntrySize)
	for ; len(b) >= IndexEntrySize; b = b[IndexEntrySize:] {
		e := IndexEntry{
			Relative: int32(binary.BigEndian.Uint32(b)),
			Position: int32(binary.BigEndian.Uint32(b[4:])),
		}
		if e == (IndexEntry{}) {
			break // the first batch of a segment has no entry, so this one is unused
		}
		last := IndexEntry{Relative: -1, Position: -1}
		if len(entries) > 0 {
			last = entries[len(entries)-1]
		}
		if e.Relative <= last.Relative || e.Position <= last.Position || int64(e.Position) >= logSize {
			return nil, fmt.Errorf("%w: offset entry %d after %d, position %d of %d", ErrIndex, e.Relative, last.Relative, e.Position, logSize)
		}
		entries = append(entries, e)
	}
	if err := onlyZeros(b); err != nil {
		return nil, err
	}
	return entries, nil
}

// ParseTimeIndex reads a time index, with the same leniency as ParseIndex.
func ParseTimeIndex(b []byte) ([]TimeEntry, error) {
	entries := make([]TimeEntry, 0, len(b)/TimeIndexEntrySize)
	for ; len(b) >= TimeIndexEntrySize; b = b[TimeIndexEntrySize:] {
		e := TimeEntry{
			Timestamp: int64(binary.BigEndian.Uint64(b)),
			Relative:  int32(binary.BigEndian.Uint32(b[8:])),
		}
		if e == (TimeEntry{}) {
			break
		}
		last := TimeEntry{Timestamp: -1, Relative: -1}
		if len(entries) > 0 {
			last = entries[len(entries)-1]
		}
		if e.Timestamp <= last.Timestamp || e.Relative < last.Relative {
			return nil, fmt.Errorf("%w: time entry %d at %d after %d at %d", ErrIndex, e.Timestamp, e.Relative, last.Timestamp, last.Relative)
		}
		entries = append(entries, e)
	}
	if err := onlyZeros(b); err != nil {
		return nil, err
	}
	return entries, nil
}

func onlyZeros(b []byte) error {
	if len(b) < IndexEntrySize {
		return nil // an entry that was cut
	}
	for _, c := range b {
		if c != 0 {
			return fmt.Errorf("%w: entries after an unused one", ErrIndex)
		}
	}
	return nil
}

// AbortedSize is the size of an entry of a transaction index, in bytes.
const AbortedSize = 34

// Aborted is an entry of a transaction index: a transaction whose abort marker lies in this segment.
type Aborted struct {
	ProducerID       kafka.ProducerID
	FirstOffset      kafka.Offset
	LastOffset       kafka.Offset // of the marker, inclusive
	LastStableOffset kafka.Offset // when the marker was written
}

// AppendTo appends the entry's bytes (version 0) to dst.
func (a Aborted) AppendTo(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, 0)
	dst = binary.BigEndian.AppendUint64(dst, uint64(a.ProducerID))
	dst = binary.BigEndian.AppendUint64(dst, uint64(a.FirstOffset))
	dst = binary.BigEndian.AppendUint64(dst, uint64(a.LastOffset))
	return binary.BigEndian.AppendUint64(dst, uint64(a.LastStableOffset))
}

// ParseTxnIndex reads a transaction index. The error wraps ErrIndex.
func ParseTxnIndex(b []byte) ([]Aborted, error) {
	if len(b)%AbortedSize != 0 {
		return nil, fmt.Errorf("%w: transaction index of %d bytes", ErrIndex, len(b))
	}
	entries := make([]Aborted, 0, len(b)/AbortedSize)
	for ; len(b) > 0; b = b[AbortedSize:] {
		if version := binary.BigEndian.Uint16(b); version != 0 {
			return nil, fmt.Errorf("%w: transaction index entry of version %d", ErrIndex, version)
		}
		e := Aborted{
			ProducerID:       kafka.ProducerID(binary.BigEndian.Uint64(b[2:])),
			FirstOffset:      kafka.Offset(binary.BigEndian.Uint64(b[10:])),
			LastOffset:       kafka.Offset(binary.BigEndian.Uint64(b[18:])),
			LastStableOffset: kafka.Offset(binary.BigEndian.Uint64(b[26:])),
		}
		if e.FirstOffset < 0 || e.FirstOffset >= e.LastOffset { // such as one of zeros; a transaction has records before its marker
			return nil, fmt.Errorf("%w: aborted transaction from %d to %d", ErrIndex, e.FirstOffset, e.LastOffset)
		}
		if n := len(entries); n > 0 && e.LastOffset <= entries[n-1].LastOffset {
			return nil, fmt.Errorf("%w: aborted transaction ends at %d after one at %d", ErrIndex, e.LastOffset, entries[n-1].LastOffset)
		}
		entries = append(entries, e)
	}
	return entries, nil
}
