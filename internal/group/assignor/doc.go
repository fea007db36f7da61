// Package assignor computes target assignments of consumer groups (KIP-848): who is to read which partition.
//
// Layer 2, pure; part of package group. The outcome is Apache Kafka 4.4's for the same members in the same order: goldens
// made by its own assignors are in testdata. What Kafka leaves to the order of a hash table is ordered here: members by
// their ids, topics by theirs. Neither assignor looks at racks; no assignor of Kafka 4 does.
//
// Invariants:
//   - Each partition of a topic that has a subscriber has exactly one owner, who subscribes to the topic.
//   - An Assignment is in order: topics by id, partitions ascending, no topic without partitions.
//   - The cost is that of looking at each partition and each subscription; Uniform over members that subscribe to different
//     topics also sorts the subscribers of each topic.
package assignor
