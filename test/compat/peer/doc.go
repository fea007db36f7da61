// Package peer starts and stops the two servers that the suites outside `go test ./...` talk to: Ottla, built
// from this repository, and Apache Kafka 4.4.0, whose jars it fetches from Maven Central into a cache directory.
//
// It belongs to the tests (layer T) and imports next to nothing, so that every suite may import it.
//
// Invariants:
//   - A peer listens on loopback only, on ports that nobody else is given meanwhile, unless it was given addresses.
//   - A peer does not outlive the process that started it.
//   - Start returns only after the peer answered an ApiVersions request on its broker listener.
//
// It does not know what a suite does with a peer, and never deletes a data directory.
package peer
