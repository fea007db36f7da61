// Package producer is the state of one partition's producers: idempotence by sequence numbers, producer epochs, and which
// transactions are open.
//
// Layer 2, a pure core. Check decides on a batch before it is appended and changes nothing; Replay takes in a batch that is in the log,
// and is the only mutator besides Expire and the truncations. The same Replay serves live appends, followers and recovery.
//
// Invariants:
//   - State after a snapshot and a replay of what follows equals the state after a replay of everything, but for the
//     older four of the five remembered batches, which a snapshot does not hold (as in Kafka).
//   - A snapshot's bytes depend on the state alone: producers are written in the order of their ids.
//
// It does not verify that a transaction is known to its coordinator (KIP-890); that comes with transactions.
package producer
