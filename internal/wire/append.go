package wire

import (
	"encoding/binary"

	"github.com/ottla/ottla/internal/kafka"
)

// encoder appends the parts of a response in the manner of its version.
type encoder struct {
	b        []byte
	version  int16
	flexible bool
}

func (e *encoder) int16(x int16)     { e.b = binary.BigEndian.AppendUint16(e.b, uint16(x)) }
func (e *encoder) int32(x int32)     { e.b = binary.BigEndian.AppendUint32(e.b, uint32(x)) }
func (e *encoder) int64(x int64)     { e.b = binary.BigEndian.AppendUint64(e.b, uint64(x)) }
func (e *encoder) uvarint(x int)     { e.b = binary.AppendUvarint(e.b, uint64(x)) }
func (e *encoder) uuid(x kafka.UUID) { e.b = append(e.b, x[:]...) }

// count appends the count of an array or the length of bytes; a negative one is null.
func (e *encoder) count(n int) {
	if e.flexible {
		e.uvarint(max(n, -1) + 1)
		return
	}
	e.int32(int32(max(n, -1)))
}

func (e *encoder) str(s string) {
	if e.flexible {
		e.uvarint(len(s) + 1)
	} else {
		e.int16(int16(len(s)))
	}
	e.b = append(e.b, s...)
}

// nullable appends s, or null when it is empty.
func (e *encoder) nullable(s string) {
	switch {
	case s != "":
		e.str(s)
	case e.flexible:
		e.b = append(e.b, 0)
	default:
		e.int16(-1)
	}
}

// TopicsByID reports whether a version of Produce or Fetch names topics by id and no longer by name (KIP-516).
func TopicsByID(version int16) bool { return version >= 13 }

// topic appends the name of a topic or, from version 13 of Produce and Fetch, its id.
func (e *encoder) topic(name string, id kafka.UUID) {
	if TopicsByID(e.version) {
		e.uuid(id)
		return
	}
	e.str(name)
}

// noTags appends an empty tagged section.
func (e *encoder) noTags() {
	if e.flexible {
		e.b = append(e.b, 0)
	}
}

// LeaderEpoch is a leader's id and epoch, which tell a client where to go instead (KIP-951).
type LeaderEpoch struct {
	ID    kafka.NodeID
	Epoch kafka.LeaderEpoch
}

// NoLeader says nothing about the leader.
var NoLeader = LeaderEpoch{kafka.NoNode, kafka.NoEpoch}

// leaderSize is the number of bytes of a LeaderEpoch in a tagged section: two integers and no tags.
const leaderSize = 4 + 4 + 1

func (e *encoder) leader(tag int, l LeaderEpoch) {
	e.uvarint(tag)
	e.uvarint(leaderSize)
	e.int32(int32(l.ID))
	e.int32(int32(l.Epoch))
	e.uvarint(0)
}

// NodeEndpoint is where a leader named in a response can be reached (KIP-951).
type NodeEndpoint struct {
	ID   kafka.NodeID
	Host string
	Port int32
	Rack string // empty is null
}

// nodes appends the tagged section that has the node endpoints as tag 0, if there are any.
func (e *encoder) nodes(nodes []NodeEndpoint) {
	if len(nodes) == 0 {
		e.noTags()
		return
	}
	e.uvarint(1)
	e.uvarint(0)
	size := uvarintSize(len(nodes) + 1)
	for _, n := range nodes {
		size += 4 + uvarintSize(len(n.Host)+1) + len(n.Host) + 4 + 1
		if n.Rack == "" {
			size++
		} else {
			size += uvarintSize(len(n.Rack)+1) + len(n.Rack)
		}
	}
	e.uvarint(size)
	e.count(len(nodes))
	for _, n := range nodes {
		e.int32(int32(n.ID))
		e.str(n.Host)
		e.int32(n.Port)
		e.nullable(n.Rack)
		e.noTags()
	}
}

func uvarintSize(x int) int {
	n := 1
	for ; x >= 0x80; x >>= 7 {
		n++
	}
	return n
}
