// Package metadata is the state of the cluster: the Image, which never changes once it is built, and the Delta
// between two images. Both come from the records of __cluster_metadata, and from nothing else.
//
// Layer 2, a pure core: no goroutine, lock, clock, file or socket.
//
// Invariants:
//   - An Image and everything reachable from it is immutable. A reader may keep one for as long as it likes.
//   - The same records in the same order give an equal Image, whatever the cuts between the deltas.
//   - Image.Records and a replay of them give an equal Image: a snapshot loses nothing that the log said, not
//     even records that nothing here interprets yet (quotas, SCRAM, ACLs, delegation tokens).
//   - Nothing of a metadata transaction (KIP-868) is visible before its end record.
//
// It does not decide anything: which records a command writes is the controller's business, and when an image is
// published is the quorum's.
package metadata
