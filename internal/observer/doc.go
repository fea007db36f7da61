// Package observer follows the metadata log at a node without a vote, by Kafka's Fetch and FetchSnapshot, and shows what is committed.
//
// Layer 4, a loop: course decides whom it asks and what an answer is good for, quorum's Mirror keeps the files, quorum's Board shows the images. Whether
// the controllers are Ottla's or Apache Kafka's it does not know.
//
// Invariants: an image is shown only of what the leader says is committed. What was committed is never cut: controllers that want that have another log,
// and end the node.
package observer
