// Package compress holds the four compression codecs of Kafka's record batches behind one pair of functions.
//
// Layer 1. Compress writes what Apache's Java clients read; Decompress and Reader accept what Apache Kafka 4.4
// accepts: gzip with several members, snappy bare or in xerial's framing, lz4 frames of independent blocks, zstd frames.
//
// Invariants:
//   - Output is bounded by the caller's limit, and no allocation follows a size that the input merely claims.
//   - Encoders and decoders come from pools and run on the caller's goroutine.
//   - Bad input gives an error that wraps ErrCorrupt, output past the limit one that wraps ErrTooLarge.
//
// It knows nothing of records; package record walks what comes out.
package compress
