// Package replication keeps the replicas that this node follows with alike to their leaders', and has the controller asked for the in-sync
// sets that its own leaders want.
//
// Layer 4, an engine of the loop kind: a fetcher for each leader's node from which something is followed owns the connection to it and asks for all
// that is, by Kafka's Fetch; one more loop sends AlterPartition. What to ask and what an
// answer leads to is its source's to say, which Steps drives without a goroutine. What a replica may do is decided in package replica; package partition writes.
//
// Invariants:
//
//   - A follower's log is cut where the leader says by epochs that both part (KIP-101), and by offsets only where the leader's log lies wholly
//     behind or before what was asked for, as in Kafka.
//   - What a leader sent is checked (CRC, order, epoch) before it is written, and written as it is. A gap between batches that no cleaner can have left
//     is written when the leader says it twice, and that its log goes on behind it.
//   - A fetch names the leader epoch that this node knows, and the answer is for that epoch or for nothing.
//   - A fetch names what has changed since the one before (KIP-227); after any doubt it tells all again.
//   - An in-sync set is asked for with the broker epochs that the followers fetched with (KIP-903), one request at a time.
package replication
