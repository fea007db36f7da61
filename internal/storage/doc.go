// Package storage prepares log directories and checks them before a node opens them: the logic of `ottla storage`,
// whose commands and messages are those of Kafka's kafka-storage, of `ottla dev`, which formats an empty
// directory by itself, and of the start of a node.
//
// Layer 6. It decides from the configuration and what the directories hold; all files go through vfs, and clock and
// randomness are arguments.
//
// Invariants:
//   - A directory counts as formatted when it has meta.properties, which is written last.
//   - Check changes nothing in directories that it refuses.
//   - Format never touches a directory that is formatted.
//   - What Format writes, Apache Kafka 4.4 opens, and the other way round.
//
// It does not read the metadata log: whether it is one that this node can take over is metalog.CheckSupported's to tell.
package storage
