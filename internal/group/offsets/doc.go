// Package offsets keeps what groups committed, and says of a commit how old it may get.
//
// Layer 2, pure; part of package group.
//
// Invariants:
//   - Of two commits the later one in the log holds, in whatever order they are replayed: those of a transaction come late.
//   - A group without offsets and a topic that no group has offsets of take no memory.
//   - What is visited is in order: topics by name, partitions ascending.
//
// It does not know groups: who may commit is theirs to say (Committer is what they are asked about).
package offsets
