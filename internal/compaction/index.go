package compaction

import (
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// Index collects the keys of the dirty part of a log: the first half of a cleaning.
type Index struct {
	keys *Keys
	txns txns
	from kafka.Offset
	end  kafka.Offset
	open opened
	full bool

	Records int64 // that were looked at
}

// NewIndex returns what collects into keys, which are empty, the keys from offset from on. Aborted are the transactions that have records there.
func NewIndex(keys *Keys, from kafka.Offset, aborted []Aborted) *Index {
	return &Index{keys: keys, txns: newTxns(aborted), from: from, end: from}
}

// Add takes in the next batch, and reports false when the keys are full: then what lies at and above End is left for another time. The error wraps ErrUnreadable.
func (x *Index) Add(b record.Batch) (bool, error) {
	if err := b.CheckCRC(); err != nil {
		return false, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	needless, _ := x.txns.see(b)
	x.Records += int64(b.Count())
	if !needless && !b.IsControl() {
		if err := x.open.read(b, x.keys); err != nil {
			return false, err
		}
		if !x.put(b.BaseOffset()) {
			return false, nil
		}
	}
	x.end = max(x.end, b.NextOffset())
	return true, nil
}

// put puts the keys of the opened batch, and reports whether all found room.
func (x *Index) put(base kafka.Offset) bool {
	all, hashes := x.open.records, x.open.hashes
	for from := 0; from < len(all); from += touched {
		to := min(from+touched, len(all))
		x.open.sum += x.keys.Touch(hashes[from:to])
		for i := from; i < to; i++ {
			offset := base + kafka.Offset(all[i].delta)
			if all[i].keyless || offset < x.from {
				continue
			}
			if x.keys.Full() {
				x.full = true
				return false
			}
			x.keys.Put(hashes[i], offset)
			x.end = offset + 1
		}
	}
	return true
}

// Full reports whether the keys got full.
func (x *Index) Full() bool { return x.full }

// End returns the offset up to which all keys are collected, exclusive.
func (x *Index) End() kafka.Offset { return x.end }

// Finish says that there are no more batches below end.
func (x *Index) Finish(end kafka.Offset) {
	if !x.full {
		x.end = max(x.end, end)
	}
}
