// Package metalog is the folder of __cluster_metadata-0 in Kafka's files, without those who decide on it: batches of records, the voters that they
// name, snapshots, and what format left. quorum and observer keep such a folder, inspect reads one, storage formats one.
//
// Layer 4, of no shape of concurrency: functions on files and values that belong to one loop. It runs no Raft and speaks to nobody.
//
// Invariants:
//   - A snapshot is there under its name whole and synced, or not at all.
//   - What can't be understood wraps ErrDamaged; nothing is guessed at.
//   - A function that reads changes nothing: the folder's owner may be running.
package metalog

import "errors"

// ErrDamaged says that the folder holds something that cannot be understood, and must not be guessed at.
var ErrDamaged = errors.New("the metadata log is damaged")
