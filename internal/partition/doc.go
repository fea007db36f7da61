// Package partition joins one partition's replica core, producer core, log and waits: Append, Read, lookups; and the Manager of
// all partitions of a node.
//
// Layer 4. A Partition has one leaf lock over "decide, then write the log"; batches are validated before it is taken, readers
// take none, and waits are completed after it is given back. The Manager follows the metadata images, chooses log directories, recovers
// logs at start and does the background duties as one stepped loop. Replicas move between log directories by another one (RunMoves),
// and each cleaner of compacted logs is one.
//
// Invariants:
//   - Log start ≤ last stable offset ≤ high watermark ≤ log end, at all times and for every reader.
//   - What is acknowledged was appended under the leader epoch that the answer names.
//   - What flush.messages asks to be synced is acknowledged, and seen by readers up to the high watermark, only after that.
//   - A failed log directory takes its own partitions offline and nothing else; the last one stops the node.
//   - Locks are taken in the order upkeep, mu, then those inside of the log (renaming, its mu); the leaves of the Manager
//     and of a directory, and a directory's files, may be taken under upkeep, no other lock under any of them. upkeep is
//     held across syncs and renames, files across the synced writes of checkpoints, mu never across a sync but where a
//     follower's log is cut, once in a log's life for partition.metadata (ADR 4), and in the last close; the watchers' lock is a
//     leaf under it then. A deletion
//     takes both before it gives the folder away, and whoever takes one looks at the state first: nothing touches a
//     folder that may be another life's.
//   - A partition's log is in one directory, whatever a crash leaves of a move: the two change places under both locks, when they hold the
//     same and the metadata has the new directory. Whoever reads without a lock reads again if the log has changed place meanwhile.
//   - An idle partition has no goroutine, no timer and no open file.
//
// It does not know sessions, quotas or the wire: package api does.
package partition
