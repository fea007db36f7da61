// Package record reads, builds and validates record batches of format v2 (magic 2), the unit of Kafka's log and of its CRC.
//
// Layer 1. Batch is a view over bytes that somebody else owns; nothing here copies record bytes on the way from a socket to
// a file. Validate is the check of a Produce request, patching in place what the broker has to set.
//
// Invariants:
//   - A Batch that came from Next is exactly one whole batch: its header's accessors never run past its end.
//   - Only the base offset and the leader epoch lie outside the CRC; each other setter computes the CRC anew.
//   - Walking visits records without an allocation for each, and stops with an error on anything malformed.
//
// It does not decode legacy batches (magic 0 and 1), which Kafka 4 no longer accepts; it recognises and refuses them.
package record
