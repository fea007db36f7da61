// Package replica decides what one node's replica of a partition may do: whether it leads, in which epoch, how far its high
// watermark is, and whether enough replicas are in sync to accept a write.
//
// Layer 2, a pure core of the message kind: the engine (package partition) tells it what happened, and acts on the Ready that it gets back from Become,
// Fetched, Altered and Expire. What comes of the log's own changes (Appended, Followed, Truncated, SetDurable) and of other rules is
// HighWatermark alone, which the engine publishes after each of them. Epochs come from the metadata log; the core proposes in-sync sets, and never a leader.
//
// Invariants:
//   - The high watermark of a leadership never falls, and never passes the log end of any member of the in-sync set as this leader knows it,
//     nor of whoever is proposed for it: the controller may have taken the proposal before the answer is here.
//   - It stays where it is while fewer are in sync than the minimum (KIP-966).
//   - One proposal is out at a time, and the metadata log has the last word on it.
//   - Leader epochs only rise; what an older or newer one asks for is refused by name.
package replica
