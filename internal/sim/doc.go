// Package sim runs a whole cluster in one goroutine from one seed: three nodes with their controllers, brokers, replicas, coordinators and
// logs, over disks that lose what was not synced, a network that delays, loses, repeats and cuts, and clocks that disagree. The same seed
// leads to the same events, and its trace to the same hash.
//
// For tests (T). The engines are the product's own, stepped instead of run: quorum, partition, replication, coordinator, purgatory, all over
// vfs. What stands in for the product here is what waits in goroutines there: the lifecycle of a broker (package node), the handlers of
// requests (package api) and their connections (package transport).
//
// Invariants of the world:
//   - All chance is drawn from the seed, and in the order of events; no map's order and no clock of the machine's reaches an event.
//   - After each event what must always hold is looked at (oracle.go); at the end of a run faults cease, all is read, and the history of
//     what clients did is judged by package check, which knows nothing of the cluster.
package sim
