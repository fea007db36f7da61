// Package raftnet carries Raft's messages from this voter of the metadata quorum to the others.
//
// Layer 4, an engine of the loop kind: one goroutine for each voter owns the connection to it. Messages wait in a queue that is
// bounded; what does not fit, or was on its way when a connection broke, is lost, and Raft is told so. On the other side
// quorum's Deliver takes them.
//
// Invariant: the messages of one Send arrive in order, or a suffix of them does not.
package raftnet
