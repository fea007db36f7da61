// Package coordinator runs the cores of internal topics, such as the groups of __consumer_offsets: one loop for each
// partition that this node leads.
//
// Layer 4. A Runtime is for one topic. It follows the metadata log: where this node leads a partition, a loop reads the
// partition's log into a core of its own (package shard), and then serves commands. Commands that have come together are
// decided one after the other, a turn each; their records are appended as one batch; their replies leave when the high
// watermark has passed the batch.
//
// Invariants:
//   - A core belongs to the goroutine of its loop. There is none for partitions that others lead, and no timer for a core
//     without a deadline.
//   - A turn's records are in one batch, or in parts that the core has cut.
//   - A reply leaves when the records of its turn and all that the turn may have seen are committed, in the leader epoch
//     that they were appended in.
//   - Loading the log is the only way to recover: a core is dropped when an append fails, when it fails itself, and when
//     the leadership ends. Every command is answered, at the latest then.
//
// It does not know what a core decides, nor what the records of a topic mean.
package coordinator
