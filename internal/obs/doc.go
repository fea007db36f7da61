// Package obs is what a node says about itself: its log, the levels of its loggers, and its metrics.
//
// A side leaf, seen from layer 3 up: it knows no engine, and what a metric means is said where it is counted.
//
// Invariants:
//   - Counting and asking for a level cost atomic operations: no lock, no allocation.
//   - Records that a client causes can't fill the log: Limit bounds those with the same message.
package obs
