// Package purgatory is where replies wait: a produce for the high watermark, a fetch for enough bytes, both for a
// deadline at the latest. A wait costs an entry in a list, not a goroutine and not a timer.
//
// Layer 4. Watchers is the list of one partition, a leaf lock; Purgatory keeps the deadlines, a leaf lock with one
// goroutine that sleeps until the earliest. Invariants:
//
//   - A wait completes exactly once, by its need being met, by a failure of a partition, or by its deadline.
//   - A bound that moved before Watch counts: nobody sleeps through an append that came between a read and its wait.
//   - Callbacks run under no lock, on the goroutine that completes; they must not block.
//
// It does not know what is waited for: a callback looks again, and waits again if it was woken for too little.
package purgatory
