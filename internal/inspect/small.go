package inspect

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/schema"
)

// smallLimit is the largest file that is read whole: the small files beside the logs. A checkpoint has a line for each partition.
const smallLimit = 256 << 20

// all reads the file whole.
func (f *reading) all() ([]byte, error) {
	if f.size > smallLimit {
		return nil, fmt.Errorf("%w: %d bytes is too large for a file of this kind", ErrDamaged, f.size)
	}
	b := make([]byte, f.size)
	n, err := f.r.ReadAt(b, 0)
	if int64(n) < f.size {
		return nil, err
	}
	return b, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// producers prints a .snapshot: the producers of the partition when the log ended at the offset in the name.
func (f *reading) producers() error {
	b, err := f.all()
	if err != nil {
		return err
	}
	const crcEnd = 6 // version in two bytes, CRC in four
	if len(b) < crcEnd {
		f.damaged(0, "%d bytes are no producer snapshot", len(b))
		return f.err
	}
	version := int16(binary.BigEndian.Uint16(b))
	var s schema.ProducerSnapshot
	if err := s.ReadFrom(b[2:], version); err != nil {
		f.damaged(0, "%v", err)
		return f.err
	}
	if crc := crc32.Checksum(b[crcEnd:], castagnoli); crc != s.CRC {
		f.damaged(2, "CRC is %08x, the content's is %08x", s.CRC, crc)
	}
	for _, p := range s.ProducerEntries {
		f.entries++
		if f.o.Verify {
			continue
		}
		f.put(entry("producer").int("producerID", p.ProducerID).int("producerEpoch", int64(p.Epoch)).
			int("lastSequence", int64(p.LastSequence)).int("lastOffset", p.LastOffset).int("offsetDelta", int64(p.OffsetDelta)).
			int("timestamp", p.Timestamp).int("coordinatorEpoch", int64(p.CoordinatorEpoch)).int("currentTxnFirstOffset", p.CurrentTxnFirstOffset))
	}
	return f.err
}

// checkpoint reads a checkpoint file: version, number of lines, lines of some words each.
func (f *reading) checkpoint(words int, visit func(line int64, words []string) error) error {
	b, err := f.all()
	if err != nil {
		return err
	}
	if len(b) == 0 {
		return f.err // it has no entries
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if lines[0] != "0" {
		f.damaged(0, "version %q, want 0", clip(lines[0]))
		return f.err
	}
	want := -1
	if len(lines) > 1 {
		if n, err := strconv.Atoi(lines[1]); err == nil {
			want = n
		}
	}
	if want < 0 {
		f.damaged(2, "the second line must be the number of lines that follow")
		return f.err
	}
	at := int64(len(lines[0]) + len(lines[1]) + 2)
	for _, line := range lines[2:] {
		f.entries++
		w := strings.Fields(line)
		if len(w) != words {
			f.damaged(at, "%q: want %d words", clip(line), words)
		} else if err := visit(at, w); err != nil {
			f.damaged(at, "%q: %v", clip(line), err)
		}
		at += int64(len(line)) + 1
	}
	if f.entries != int64(want) {
		f.damaged(2, "%d lines, where the second line says %d", f.entries, want)
	}
	return f.err
}

func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// epochs prints a leader-epoch-checkpoint: the offset where each leader began.
func (f *reading) epochs() error {
	lastEpoch, lastStart := int64(-1), int64(-1)
	return f.checkpoint(2, func(at int64, w []string) error {
		epoch, err := strconv.ParseInt(w[0], 10, 32)
		if err != nil {
			return err
		}
		from, err := strconv.ParseInt(w[1], 10, 64)
		if err != nil {
			return err
		}
		if epoch <= lastEpoch || from < lastStart {
			f.damaged(at, "epoch %d from offset %d comes after epoch %d from %d", epoch, from, lastEpoch, lastStart)
		}
		lastEpoch, lastStart = epoch, from
		if f.o.Verify {
			return nil
		}
		f.put(entry("epoch").int("leaderEpoch", epoch).int("startOffset", from))
		return nil
	})
}

// offsets prints a checkpoint that has an offset for each partition.
func (f *reading) offsets() error {
	return f.checkpoint(3, func(_ int64, w []string) error {
		partition, err := strconv.ParseInt(w[1], 10, 32)
		if err != nil {
			return err
		}
		offset, err := strconv.ParseInt(w[2], 10, 64)
		if err != nil || f.o.Verify {
			return err
		}
		f.put(entry("partition").str("topic", w[0]).int("partition", partition).int("offset", offset))
		return nil
	})
}

// ranges prints what is known to be damaged.
func (f *reading) ranges() error {
	return f.checkpoint(3, func(_ int64, w []string) error {
		var n [3]int64 // first offset, end, base offset of the segment
		for i := range n {
			var err error
			if n[i], err = strconv.ParseInt(w[i], 10, 64); err != nil {
				return err
			}
		}
		if !f.o.Verify {
			f.put(entry("range").int("startOffset", n[0]).int("endOffset", n[1]).int("segment", n[2]))
		}
		return nil
	})
}

// offset prints a file that is one offset.
func (f *reading) offset() error {
	b, err := f.all()
	if err != nil {
		return err
	}
	f.entries++
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	switch {
	case err != nil:
		f.damaged(0, "%q is no offset", clip(string(b)))
	case !f.o.Verify:
		f.put(entry("content").int("offset", n))
	}
	return f.err
}

// nothing is for a file whose content is not looked at by anybody.
func (f *reading) nothing() error { return f.err }

// properties prints a file of KEY=VALUE or KEY: VALUE lines.
func (f *reading) properties() error {
	b, err := f.all()
	if err != nil {
		return err
	}
	at := int64(0)
	for line := range strings.SplitAfterSeq(string(b), "\n") {
		start := at
		at += int64(len(line))
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		f.entries++
		i := strings.IndexAny(line, "=:")
		if i <= 0 {
			f.damaged(start, "%q is no KEY=VALUE", clip(line))
			continue
		}
		if !f.o.Verify {
			f.put(entry("property").str("key", strings.TrimSpace(line[:i])).str("value", strings.TrimSpace(line[i+1:])))
		}
	}
	return f.err
}

// object prints a file that is one JSON object.
func (f *reading) object() error {
	b, err := f.all()
	if err != nil {
		return err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, b); err != nil {
		f.damaged(0, "not JSON: %v", err)
		return f.err
	}
	f.entries++
	if !f.o.Verify {
		f.put(entry("content").raw("json", compact.Bytes()))
	}
	return f.err
}
