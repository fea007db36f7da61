// Package group is the core of the group coordinator: one Shard for each partition of __consumer_offsets, with the groups
// whose ids hash to it and the offsets that they committed.
//
// Layer 2, pure; the contract is package shard's. A Shard routes commands to the group that they name. What a kind of group
// does lies in classic (JoinGroup and its kin) and modern (KIP-848); offsets keeps what was committed; assignor computes
// target assignments. A group that changes its kind is converted here, because both kinds meet only here.
//
// Invariants:
//   - The records of a turn leave the same groups and offsets behind when a log is loaded as they did when they were
//     written. What a classic group knows of a rebalance that goes on is not in records: it dies with the shard, and
//     members join again.
//   - A group id has one group, of one kind.
//   - Offsets of a group without members expire; those of a topic that was deleted go with it.
package group
