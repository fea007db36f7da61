// Package node puts a node together, starts it, and takes it apart: the one place where the rooms meet.
//
// Layer 6. Open touches the disk and binds the listeners, Start elects, registers and begins to serve, Stop drains and
// writes the clean-shutdown marker. Roles (process.roles) decide what is there: a broker alone follows the quorum without a vote, a controller alone is never registered as a broker.
//
// Invariants:
//
//   - No listener of clients accepts before the broker is registered and unfenced and its partitions can be used.
//   - The clean-shutdown marker is taken away, durably, before anything is written, and put back after everything is.
//   - What fails for good ends the node through Failed; nothing else does.
package node
