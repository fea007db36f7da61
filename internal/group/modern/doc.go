// Package modern is a group of the consumer protocol (KIP-848): the server assigns, members reconcile.
//
// Layer 2, pure; part of package group.
//
// A group has three epochs that follow each other. The group epoch rises with each change of members, subscriptions or
// topics; the assignment epoch is the group epoch that the target assignment was computed for; a member's epoch is the
// assignment epoch that the member has reconciled to. A member first gives up what the target takes from it (unrevoked), then
// moves to the new epoch and gets what others have given up by then; for the rest it waits (unreleased).
//
// Invariants:
//   - A partition that a member has, or is still to give up, is given to no other member.
//   - Epochs only rise, but for a static member that leaves for a while (-2) and one that takes its place (0).
//   - All state is of records, but for three things that begin anew when a log is loaded: the alarms, whether the hash of the
//     topics is to be looked at again, and who follows which topic.
//   - What the group counts (subscribers, assignors, owners) follows from its members: Replay keeps both.
//
// The target assignment is computed in the turn of the heartbeat that needs it, not earlier than assignment.interval.ms
// after the one before. Regular expressions are resolved at the end of the turn, so that the first answer is without their
// topics, as Kafka's is, which resolves them aside.
package modern
