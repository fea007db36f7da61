package kafka

import (
	"encoding/base64"
	"fmt"
	"io"
)

// UUID is Kafka's 128-bit id; as text it is 22 characters of unpadded URL-safe base64.
type UUID [16]byte

// TopicID identifies one life of a topic: a topic that is deleted and created again has another.
type TopicID = UUID

// Reserved ids. A random UUID is never one of them.
var (
	// MetadataTopicID is the topic id of __cluster_metadata.
	MetadataTopicID = UUID{15: 1}
	// UnassignedDirectory is the directory of a replica that has none yet (KIP-858).
	UnassignedDirectory = UUID{}
	// LostDirectory is the directory of a replica whose log directory failed (KIP-858).
	LostDirectory = UUID{15: 1}
	// MigratingDirectory is the directory of a replica of a node that did not report directories (KIP-858).
	MigratingDirectory = UUID{15: 2}
)

// reservedIDs is how many of the lowest UUIDs Kafka keeps for itself.
const reservedIDs = 100

// NewUUID draws an id from random, of version 4, not reserved, and not starting with a dash in its text form
// (a command line would take it for a flag).
func NewUUID(random io.Reader) (UUID, error) {
	for {
		var u UUID
		if _, err := io.ReadFull(random, u[:]); err != nil {
			return UUID{}, fmt.Errorf("draw a random id: %w", err)
		}
		u[6] = u[6]&0x0f | 0x40
		u[8] = u[8]&0x3f | 0x80
		if !u.Reserved() && u.String()[0] != '-' {
			return u, nil
		}
	}
}

// ParseUUID reads the text form.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != len(u) {
		return u, fmt.Errorf("%q is not an id: want 22 characters of URL-safe base64", s)
	}
	copy(u[:], b)
	return u, nil
}

// String returns the text form.
func (u UUID) String() string { return base64.RawURLEncoding.EncodeToString(u[:]) }

// IsZero reports whether u is the zero id, which stands for "none".
func (u UUID) IsZero() bool { return u == UUID{} }

// Reserved reports whether Kafka keeps u for itself.
func (u UUID) Reserved() bool {
	for _, b := range u[:15] {
		if b != 0 {
			return false
		}
	}
	return u[15] < reservedIDs
}
