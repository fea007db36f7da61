// Package replica decides what one node's replica of a partition may do: whether it leads, in which epoch, how far its high
// watermark is, and whether enough replicas are in sync to accept a write.
//
// Layer 2, a pure core of the message kind: the engine (package partition) tells it what happened, by Become, Appended and Fetched, and
// acts on the Ready that it gets back. Epochs come from the metadata log; the core never proposes a leader.
//
// Invariants:
//   - The high watermark of a leadership never falls, and never passes the log end of any member of the in-sync set as this leader knows it.
//   - Leader epochs only rise; what an older or newer one asks for is refused by name.
//
// It does not yet propose changes of the in-sync set, nor does a follower fetch: both come with replication, as fields of Ready.
package replica
