// Package commitlog is one partition's log: an ordered list of segments with its leader epochs and producer state.
//
// Layer 4. One writer by contract (a partition's lock, or the quorum loop) calls the methods that change the log; any number of readers
// call Read and the lookups, which work on an immutable list of segments and never wait for the writer. One flusher at a time, beside the
// writer, calls Flush. A Compaction makes segments aside and has the writer Swap them in.
//
// Invariants:
//   - What lies below the recovery point was synced: its damage is reported and fenced off, never cut away or skipped.
//   - What lies above it may end anywhere after a crash: it is scanned, and cut at the first batch that is not whole, valid and in order.
//     Of a process that died on a machine that did not, headers tell.
//   - Indexes, snapshots and epochs are derived from the batches; on any doubt they are made again from them.
//   - Locks are taken in the order renaming, mu. renaming is held across renames and their syncs, mu across no I/O.
//   - An idle log has no open file, no goroutine and no timer.
//
// It does not validate records, assign offsets, or know the high watermark: package partition does.
package commitlog
