// Package checkpoint reads and writes the small files around the logs, in Apache Kafka's formats: offset checkpoints, leader epochs,
// meta.properties, partition.metadata, and the marker of a clean shutdown; and ottla.start, which is ours.
//
// Layer 4, part of commitlog.
//
// Invariants:
//   - A file is replaced whole: temporary file, sync, rename, sync of the folder. A crash leaves the old or the new one.
//   - Reading takes any bytes: it gives what Kafka would read, or an error that wraps ErrMalformed.
//
// It does not know what the offsets mean, nor when to write them.
package checkpoint
