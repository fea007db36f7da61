// Package script plays one fixed script of Kafka requests against a node over
// raw TCP and writes down every answer, so that two nodes can be compared
// field by field, or one node with a recording of Apache Kafka 4.4.0.
//
// Layer: test only. It knows the wire (kmsg) and nothing of the product, which
// is what makes it a judge.
//
// The pieces:
//
//   - [Play] runs the cases (one file per API key, 19_create_topics.go) and
//     gives a [Transcript]: an [Entry] for each API, version and case.
//   - [Transcript.WriteDir] and [ReadDir] keep transcripts as text, one file
//     per API, equal answers of neighbouring versions folded into one block.
//   - [Compare] lists the [Difference]s of two transcripts; [Deviations] are
//     the accepted ones, read from the table in docs/deviations.md.
//
// Invariants:
//
//   - Requests depend only on the script and on earlier answers of the same
//     node; cases of one API and version use topics of their own.
//   - What may differ between two equal nodes (ids, ports, paths, times,
//     positions in the metadata log) is replaced by a symbol, by the one
//     table in normal.go. Nothing else is hidden.
//   - Fields at their default value are not written, so that answers are short
//     and equal at all versions that lack a field.
//
// It does not start nodes (package peer does) and it does not judge order
// within arrays whose elements have a key: those are sorted by it.
package script
