// Package vfs is the door to files: everything that the storage engine does to a disk goes through FS and File.
//
// Layer 3. There are four implementations: OS is the machine's own files; Mem lives in memory; Crash is Mem that remembers what
// has been synced and can be cloned as a power cut would leave it; Faulty wraps any of them, to trace operations and to make some fail.
// Package vfstest holds the conformance suite that all of them pass.
//
// Invariants:
//   - Nothing appends: every write names its position, so that a failed write can be done again or cut off.
//   - What was written is durable after File.Sync; what was created, renamed or removed is durable after SyncDir of its folder.
//   - A failed sync says nothing about what is on the disk: callers never retry it, they give the folder up (ErrSyncFailed).
//
// It knows nothing of logs, and it does not buffer: one call is one system call.
package vfs
