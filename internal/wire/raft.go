package wire

import (
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// KeyRaft is the one API that Kafka has not: the voters of the metadata quorum exchange the messages of etcd's Raft by it. It is
// served on controllers' listeners only, and ApiVersions does not list it. Kafka's keys are all far below.
const KeyRaft = 31_000

var version0 = span{0, 0}

var raftLayout = layout{name: "Raft", flexible: math.MaxInt16, fields: []field{
	{name: "ClusterId", in: version0, null: never, kind: text},
	{name: "From", in: version0, null: never, kind: fixed32},
	{name: "FromDirectoryId", in: version0, null: never, kind: fixed128},
	{name: "FromEndpoints", in: version0, null: never, kind: array, least: 6, elem: structure, fields: []field{
		{name: "Name", in: version0, null: never, kind: text},
		{name: "Host", in: version0, null: never, kind: text},
		{name: "Port", in: version0, null: never, kind: fixed16},
	}},
	{name: "To", in: version0, null: never, kind: fixed32},
	{name: "ToDirectoryId", in: version0, null: never, kind: fixed128},
	{name: "Messages", in: version0, null: never, kind: array, elem: blob, least: 4},
}}

// RaftNode is a controller, with the directory of its metadata log and where it can be reached.
type RaftNode struct {
	ID        kafka.NodeID
	Directory kafka.UUID
	Endpoints []RaftEndpoint
}

// RaftEndpoint is an address of a controller, by the name of its listener.
type RaftEndpoint struct {
	Listener, Host string
	Port           uint16
}

// RaftRequest carries messages from one voter to another, in order. To kafka.NoNode and without messages it introduces the sender, which looks
// for the leader.
type RaftRequest struct {
	ClusterID string
	From      RaftNode
	To        kafka.NodeID
	// ToDirectory is that of the receiver, as far as the sender knows it: a voter whose disk was wiped has another, and is not that voter any more.
	// Zero where the sender does not know.
	ToDirectory kafka.UUID
	// Messages are in etcd's encoding; after Read they alias the body.
	Messages [][]byte
}

// RaftResponse says whether the messages were taken: 0, INCONSISTENT_CLUSTER_ID, INCONSISTENT_VOTER_SET or INVALID_REQUEST. To an
// introduction also NOT_LEADER_OR_FOLLOWER.
type RaftResponse struct {
	ErrorCode int16
	// Leader is who leads, as far as the answering node knows; its ID is kafka.NoNode where that is nobody. Only of an introduction.
	Leader RaftNode
}

func (w *walker) raftNode() RaftNode {
	n := RaftNode{ID: kafka.NodeID(w.int32()), Directory: w.uuid()}
	for range w.count(false, 6) {
		n.Endpoints = append(n.Endpoints, RaftEndpoint{Listener: string(w.str(false)), Host: string(w.str(false)), Port: uint16(w.int16())})
	}
	return n
}

func (e *encoder) raftNode(n RaftNode) {
	e.int32(int32(n.ID))
	e.uuid(n.Directory)
	e.count(len(n.Endpoints))
	for _, p := range n.Endpoints {
		e.str(p.Listener)
		e.str(p.Host)
		e.int16(int16(p.Port))
	}
}

// Read takes the request from a body of version 0. Errors wrap ErrMalformed and ErrUnsupportedVersion.
func (r *RaftRequest) Read(h Header, body []byte) error {
	if err := Check(h, body); err != nil {
		return err
	}
	w := walker{b: body}
	r.ClusterID = string(w.str(false))
	r.From = w.raftNode()
	r.To, r.ToDirectory = kafka.NodeID(w.int32()), w.uuid()
	n := w.count(false, 4)
	r.Messages = make([][]byte, 0, n)
	for range n {
		r.Messages = append(r.Messages, w.bytes(false))
	}
	return w.err
}

// AppendTo implements kmsg.Request.
func (r *RaftRequest) AppendTo(b []byte) []byte {
	e := encoder{b: b}
	e.str(r.ClusterID)
	e.raftNode(r.From)
	e.int32(int32(r.To))
	e.uuid(r.ToDirectory)
	e.count(len(r.Messages))
	for _, m := range r.Messages {
		e.count(len(m))
		e.b = append(e.b, m...)
	}
	return e.b
}

// ReadFrom implements kmsg.Request.
func (r *RaftRequest) ReadFrom(body []byte) error { return r.Read(Header{Key: KeyRaft}, body) }

// Key implements kmsg.Request.
func (*RaftRequest) Key() int16 { return KeyRaft }

// MaxVersion implements kmsg.Request.
func (*RaftRequest) MaxVersion() int16 { return 0 }

// SetVersion implements kmsg.Request; there is one version.
func (*RaftRequest) SetVersion(int16) {}

// GetVersion implements kmsg.Request.
func (*RaftRequest) GetVersion() int16 { return 0 }

// IsFlexible implements kmsg.Request.
func (*RaftRequest) IsFlexible() bool { return false }

// ResponseKind implements kmsg.Request.
func (*RaftRequest) ResponseKind() kmsg.Response { return new(RaftResponse) }

// AppendTo implements kmsg.Response.
func (r *RaftResponse) AppendTo(b []byte) []byte {
	e := encoder{b: b}
	e.int16(r.ErrorCode)
	e.raftNode(r.Leader)
	return e.b
}

// ReadFrom implements kmsg.Response.
func (r *RaftResponse) ReadFrom(body []byte) error {
	w := walker{b: body}
	r.ErrorCode, r.Leader = w.int16(), w.raftNode()
	return w.err
}

// Key implements kmsg.Response.
func (*RaftResponse) Key() int16 { return KeyRaft }

// MaxVersion implements kmsg.Response.
func (*RaftResponse) MaxVersion() int16 { return 0 }

// SetVersion implements kmsg.Response; there is one version.
func (*RaftResponse) SetVersion(int16) {}

// GetVersion implements kmsg.Response.
func (*RaftResponse) GetVersion() int16 { return 0 }

// IsFlexible implements kmsg.Response.
func (*RaftResponse) IsFlexible() bool { return false }

// RequestKind implements kmsg.Response.
func (*RaftResponse) RequestKind() kmsg.Request { return new(RaftRequest) }
