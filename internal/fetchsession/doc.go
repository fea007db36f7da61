// Package fetchsession decides which partitions a fetch reads and which of them its answer names: incremental fetch
// sessions (KIP-227), with topic ids (KIP-516).
//
// Layer 2, pure. Invariants:
//
//   - An incremental answer leaves out a partition only if nothing that the client was told about it has changed.
//   - A session's epoch rises by one with each request; a request with another epoch is refused and changes nothing.
//   - The cache holds at most its number of slots; a session is evicted only if it is old enough, or was idle.
//
// It does not read partitions, and it knows topics as the client names them: by id from Fetch version 13 on, by name
// before. Cache has one owner; the caller locks.
package fetchsession
