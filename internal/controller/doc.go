// Package controller decides what happens to the cluster: a command gives records of __cluster_metadata and a
// response, and replaying the records is the only thing that changes the state.
//
// Layer 2, a pure core of the log-backed kind: no goroutine, lock, clock, file or socket. Topic ids and random
// starts come from a source given at construction, so the same seed and the same commands give the same bytes.
//
// Invariants:
//   - Handle changes nothing that is replicated. What it does change is of this leadership alone: sessions, which say when a broker was heard of, and
//     when leadership is given back to preferred replicas next.
//   - The records of one command are one atomic batch; the response is true once they are committed.
//   - Replay does not fail on records that Handle made.
//
// It does not write a log, elect itself or wait: the quorum proposes the records, commits them, and answers.
package controller
