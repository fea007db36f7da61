// Package course decides whom a node that has no vote asks for the metadata log, and what it does with the answer.
//
// Layer 2, a pure core: it knows neither connections nor files. It is told of answers and failures, and says who is asked next, whether to
// rest before, and whether what came is to be appended, something to be cut, or a snapshot to be fetched (KIP-595, KIP-630, KIP-853).
//
// Invariants: the epoch never falls, and has one leader. What is appended comes from the leader of the newest epoch that is known.
package course
