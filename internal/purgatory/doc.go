// Package purgatory is where replies wait: for the high watermark (or another bound) of partitions to pass an offset, for enough
// bytes to be there, or for a deadline.
//
// Layer 4. A partition has a Queue for each of its bounds and tells it when the bound moves. A handler parks a Wait on the
// queues of the partitions of its request. One goroutine serves all deadlines by a hashed wheel of one millisecond; it sleeps while
// nothing is due.
//
// Invariants:
//   - A Wait completes exactly once, whichever comes first: its bounds, its deadline, a change of leadership, the end of the node.
//   - Completions run outside all locks: whoever moves a bound gets them as Wakes and runs them.
//   - A bound that moved before the Wait was parked counts: none is missed between reading and parking.
//   - A Wait costs memory in proportion to the partitions it waits for, a Queue without waits three words.
//
// It does not know what is waited for: a completed Wait looks again at its partitions.
package purgatory
