// Package classic is a group of the classic protocol: JoinGroup, SyncGroup, Heartbeat and LeaveGroup, with the assignment
// computed by a client, the group's leader (KIP-62, 345, 394, 559, 800, 814).
//
// Layer 2, pure; part of package group. A Group gets requests one at a time and answers by way of a shard.Turn, at once or
// when the rebalance has come so far.
//
// Invariants:
//   - A GroupMetadata record holds the group as a rebalance left it: Stable with its members and their assignments, or
//     Empty. Replay makes that state from any state before it; a group that is already there is not changed, because what
//     a record does not tell (the protocols that a member offers besides the one that was chosen, who waits) is kept for
//     each member that the record confirms.
//   - What happens between two records is soft: it dies with the group, and members join again.
//   - Every request that waits is answered once: by the rebalance, or when its member is removed, fenced or sends another.
//   - Members are visited in the order in which they joined: equal requests give equal bytes.
//   - A group keeps bytes of requests: they belong to the command, not to a frame.
//   - A heartbeat costs the same in a group of any size.
package classic
