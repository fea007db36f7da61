// Package compaction decides what the cleaning of a compacted log does: which log is next, which range of it, and which records stay.
//
// Layer 2, a pure core: package commitlog reads and writes the files, package partition runs the cleaners. Bytes come in as batches and go out as
// batches; memory for the keys is given.
//
// Invariants:
//   - The latest value of each key stays, at its offset and in its order. A tombstone stays at least delete.retention.ms after the
//     cleaning that first saw it, and as long as an older value of its key does.
//   - A batch that loses no record stays as it is, byte for byte. One that does keeps its offsets, epochs, sequences and codec.
//   - The last batch of each producer, the last one of each segment and the one that ends at the high watermark stay, if need be without a record.
//   - A batch is not read, and so not rewritten, before its CRC was found right.
//
// It knows no files, and no segments beyond what a plan needs.
package compaction
