// Package quorum runs the metadata quorum: etcd's Raft over the log of __cluster_metadata-0, the controller while
// this node leads, and the images that everybody reads.
//
// Layer 4, an engine of the loop kind: one goroutine owns the Raft node, the log and the controller; everything
// else sends it commands or reads what it published.
//
// Invariants:
//   - A record's Raft index is its offset + 1, and its term is its batch's leader epoch, whatever was snapshotted.
//   - Entries and votes are on the disk before a message that depends on them leaves, and before a command is answered.
//   - An answer leaves after the image that holds its effect is published: whoever got it sees it in Image.
//   - Images are published in order, each with the delta from the one before, and only when committed.
//
// The files of the log, its snapshots and voters are package metalog's. It does not know the network: peers are reached through Config.Send, and observers read the log through ReadLog.
package quorum
