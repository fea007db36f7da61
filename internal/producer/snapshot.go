package producer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// ErrCorrupt says that a snapshot file can't be trusted; the state then comes from an older one and more replay.
var ErrCorrupt = errors.New("producer snapshot is corrupt")

// The layout of a .snapshot file (docs/format/producer-snapshot.md): version, CRC32C of what follows it, number of entries, entries.
const (
	snapshotVersion = 1
	crcAt           = 2
	countAt         = 6
	entriesAt       = 10
	entrySize       = 46
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendSnapshot appends the bytes of Kafka's .snapshot file (version 1) to dst. It holds only the last of the remembered batches.
func (s *State) AppendSnapshot(dst []byte) []byte {
	at := len(dst)
	dst = slices.Grow(dst, entriesAt+entrySize*len(s.entries))
	dst = binary.BigEndian.AppendUint16(dst, snapshotVersion)
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s.entries)))
	for _, id := range s.ids() {
		dst = s.entries[id].appendTo(dst, id)
	}
	binary.BigEndian.PutUint32(dst[at+crcAt:], crc32.Checksum(dst[at+countAt:], castagnoli))
	return dst
}

func (e *entry) appendTo(dst []byte, id kafka.ProducerID) []byte {
	last := batch{lastSequence: kafka.NoSequence, lastOffset: kafka.NoOffset}
	if e.count > 0 {
		last = e.batches[e.count-1]
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(id))
	dst = binary.BigEndian.AppendUint16(dst, uint16(e.epoch))
	dst = binary.BigEndian.AppendUint32(dst, uint32(last.lastSequence))
	dst = binary.BigEndian.AppendUint64(dst, uint64(last.lastOffset))
	dst = binary.BigEndian.AppendUint32(dst, uint32(last.lastDelta))
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.lastTimestamp))
	dst = binary.BigEndian.AppendUint32(dst, uint32(e.coordinatorEpoch))
	return binary.BigEndian.AppendUint64(dst, uint64(e.txnFirst))
}

// ParseSnapshot reads a .snapshot file of the given end offset, which is its name. Producers that have expired at now (ms since 1970,
// idle is producer.id.expiration.ms) are left out. Errors wrap ErrCorrupt.
func ParseSnapshot(b []byte, end kafka.Offset, now int64, idle time.Duration) (*State, error) {
	if len(b) < entriesAt {
		return nil, fmt.Errorf("%w: %d bytes", ErrCorrupt, len(b))
	}
	if version := binary.BigEndian.Uint16(b); version != snapshotVersion {
		return nil, fmt.Errorf("%w: unknown version %d", ErrCorrupt, version)
	}
	if stored, computed := binary.BigEndian.Uint32(b[crcAt:]), crc32.Checksum(b[countAt:], castagnoli); stored != computed {
		return nil, fmt.Errorf("%w: stored crc %d, computed %d", ErrCorrupt, stored, computed)
	}
	count, entries := binary.BigEndian.Uint32(b[countAt:]), b[entriesAt:]
	if uint64(len(entries)) != uint64(count)*entrySize {
		return nil, fmt.Errorf("%w: %d entries in %d bytes", ErrCorrupt, count, len(entries))
	}
	s := &State{end: end}
	for ; len(entries) > 0; entries = entries[entrySize:] {
		id, e := parseEntry(entries)
		if e.expired(now, idle) {
			continue
		}
		*s.entry(id) = e
		if e.txnFirst != kafka.NoOffset {
			s.open = append(s.open, txn{first: e.txnFirst, producer: id})
		}
	}
	slices.SortFunc(s.open, func(a, b txn) int { return int(max(min(a.first-b.first, 1), -1)) })
	return s, nil
}

func parseEntry(b []byte) (kafka.ProducerID, entry) {
	last := batch{
		lastSequence: int32(binary.BigEndian.Uint32(b[10:])),
		lastOffset:   kafka.Offset(binary.BigEndian.Uint64(b[14:])),
		lastDelta:    int32(binary.BigEndian.Uint32(b[22:])),
		timestamp:    int64(binary.BigEndian.Uint64(b[26:])),
	}
	e := entry{
		epoch:            int16(binary.BigEndian.Uint16(b[8:])),
		lastTimestamp:    last.timestamp,
		coordinatorEpoch: int32(binary.BigEndian.Uint32(b[34:])),
		txnFirst:         max(kafka.Offset(binary.BigEndian.Uint64(b[38:])), kafka.NoOffset),
	}
	if last.lastOffset >= 0 {
		e.batches[0], e.count, e.since = last, 1, last.firstSequence()
	}
	return kafka.ProducerID(binary.BigEndian.Uint64(b)), e
}
