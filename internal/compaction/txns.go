package compaction

import (
	"cmp"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// Aborted is an aborted transaction: from its first record to its marker, inclusive.
type Aborted struct {
	ProducerID              kafka.ProducerID
	FirstOffset, LastOffset kafka.Offset
	LastStableOffset        kafka.Offset // when the marker was written
}

// txns follows the transactions of a log, batch by batch from its beginning, and says which batches nobody will read.
type txns struct {
	coming    []Aborted // that begin above what was seen, by first offset
	aborted   map[kafka.ProducerID]*abortedTxn
	committed map[kafka.ProducerID]struct{} // producers with records of a transaction whose marker is not seen yet
}

// abortedTxn is an aborted transaction whose marker is not seen yet.
type abortedTxn struct {
	Aborted
	records bool // a batch of it was seen
}

func newTxns(all []Aborted) txns {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Aborted) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
	return txns{coming: all, aborted: map[kafka.ProducerID]*abortedTxn{}, committed: map[kafka.ProducerID]struct{}{}}
}

// see takes in the next batch. It reports whether nobody needs it: a data batch of an aborted transaction, or a marker all of whose transaction is
// gone. Of an abort marker that is needed it returns the transaction, for the index.
func (t *txns) see(b record.Batch) (needless bool, kept *Aborted) {
	for len(t.coming) > 0 && t.coming[0].FirstOffset <= b.LastOffset() {
		if a := t.coming[0]; t.aborted[a.ProducerID] == nil {
			t.aborted[a.ProducerID] = &abortedTxn{Aborted: a}
		}
		t.coming = t.coming[1:]
	}
	if b.IsControl() {
		return t.seeMarker(b)
	}
	if !b.IsTransactional() {
		return false, nil
	}
	if a := t.aborted[b.ProducerID()]; a != nil {
		a.records = true
		return true, nil
	}
	t.committed[b.ProducerID()] = struct{}{}
	return false, nil
}

func (t *txns) seeMarker(b record.Batch) (needless bool, kept *Aborted) {
	if b.Count() == 0 {
		return true, nil // only its header was kept, for the producer's epoch
	}
	m, ok := record.ParseEndTxnMarker(b)
	if !ok {
		return false, nil
	}
	id := b.ProducerID()
	if m.Type == record.Commit {
		_, records := t.committed[id]
		delete(t.committed, id)
		return !records, nil
	}
	a := t.aborted[id]
	delete(t.aborted, id)
	if a == nil || !a.records {
		return true, nil
	}
	return false, &a.Aborted
}
