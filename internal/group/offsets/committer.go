package offsets

// Committer is who commits offsets, as the request says.
type Committer struct {
	// MemberID is "" for a client that is no member.
	MemberID string
	// InstanceID is of a static member, nil for any other.
	InstanceID *string
	// Epoch is the generation or the member epoch, -1 for a client that is no member.
	Epoch int32
	// Transactional says that the offsets are part of a transaction.
	Transactional bool
	// Version is that of the request, which decides what errors the client knows.
	Version int16
}
