// Package shard is the contract between a log-backed core (groups; later transactions and share state) and the
// coordinator that runs it: one Core for each partition of an internal topic.
//
// Layer 2, pure. A Core decides: it gets commands and the time, and gives records and replies by way of a Turn. The
// coordinator (package coordinator) appends the records of a turn as one atomic batch and hands out its replies when the
// high watermark has passed them. When an append fails or the leadership ends, the Core is dropped and loaded anew from
// its log: there is no undo.
//
// Invariants:
//   - Durable state changes in Replay only: Turn.Write replays a record into the core before it returns, and loading a log
//     replays the same records. What a core keeps besides (who waits for a rebalance) may die with it.
//   - A ticket is answered at most once; those that are left when a core is dropped are answered by the coordinator.
//   - Equal commands at equal times give equal records and replies.
package shard
