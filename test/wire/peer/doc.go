// Package peer starts and stops the nodes that the wire comparison plays
// against: Apache Kafka 4.4.0 from its Maven artifacts, Ottla from this
// repository's source, or one that runs already.
//
// Layer: test only. Every node gets the same server.properties but for ports
// and directory; both are Kafka's own keys.
package peer
