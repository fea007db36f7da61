// Package schema has the codecs of Kafka's internal records: what lies in __cluster_metadata, its snapshots, and
// the small files beside the logs.
//
// Layer 1. The zz files are generated from the definitions under schema/ at the top of the module; the rest is
// their runtime and the frame around a metadata record (docs/format/metadata-records.md).
//
// Promised:
//   - AppendTo and ReadFrom are inverse at every version, and the bytes are Kafka's.
//   - Reading allocates a small multiple of the input at most, whatever counts the input claims, and never panics.
//   - A record read keeps no reference to the bytes it was read from.
//   - nil is null in a nullable field and empty in any other. Unknown tagged fields are skipped, not kept.
//
// It does not know what a record means (package metadata does), nor batches and control record keys (package record).
package schema

//go:generate go run ../../schema/gen ../..
