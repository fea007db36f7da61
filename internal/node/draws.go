package node

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"

	"github.com/ottla/ottla/internal/kafka"
)

// drawSession draws session ids for one owner.
func (n *Node) drawSession() func() int32 {
	r := rand.New(rand.NewPCG(n.draws.Uint64(), n.draws.Uint64()))
	return func() int32 { return r.Int32() }
}

// drawID draws ids for one owner, from a source that can't fail.
func (n *Node) drawID() func() kafka.UUID { return idsFrom(source(n.draws.Uint64)) }

// drawIDs gives each owner who asks a source of ids of its own, on whatever goroutine it asks.
func (n *Node) drawIDs() func() func() kafka.UUID {
	var mu sync.Mutex // guards seeds
	seeds := source(n.draws.Uint64)
	return func() func() kafka.UUID {
		mu.Lock()
		defer mu.Unlock()
		return idsFrom(source(seeds.Uint64))
	}
}

func source(draw func() uint64) *rand.ChaCha8 {
	var seed [32]byte
	for i := range 4 {
		binary.BigEndian.PutUint64(seed[8*i:], draw())
	}
	return rand.NewChaCha8(seed)
}

func idsFrom(source *rand.ChaCha8) func() kafka.UUID {
	return func() kafka.UUID {
		id, err := kafka.NewUUID(source)
		if err != nil {
			panic(err) // ChaCha8 reads without end
		}
		return id
	}
}
