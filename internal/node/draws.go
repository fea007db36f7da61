package node

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/ottla/ottla/internal/kafka"
)

// drawSession draws session ids for one owner.
func (n *Node) drawSession() func() int32 {
	r := rand.New(rand.NewPCG(n.draws.Uint64(), n.draws.Uint64()))
	return func() int32 { return r.Int32() }
}

// drawID draws ids for one owner, from a source that can't fail.
func (n *Node) drawID() func() kafka.UUID {
	var seed [32]byte
	for i := range 4 {
		binary.BigEndian.PutUint64(seed[8*i:], n.draws.Uint64())
	}
	source := rand.NewChaCha8(seed)
	return func() kafka.UUID {
		id, err := kafka.NewUUID(source)
		if err != nil {
			panic(err) // ChaCha8 reads without end
		}
		return id
	}
}
