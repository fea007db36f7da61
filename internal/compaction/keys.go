package compaction

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"

	"github.com/ottla/ottla/internal/kafka"
)

// SlotBytes is what a key takes in Keys, in bytes: 128 bits of hash and the offset.
const SlotBytes = 24

// Hash stands for a key. Two keys of one map have the same one with a probability of 2⁻¹²⁸ (ADR 13).
type Hash struct{ a, b uint64 }

// Keys maps the hash of each key to the last offset that the key has in the dirty part of a log, in memory that is given: open addressing, linear probing.
type Keys struct {
	memory []byte // slots of hash, hash, offset + 1; an offset of 0 is an empty slot
	slots  uint64
	most   uint64 // keys that may be in it
	n      uint64
	seeds  [2]maphash.Seed
}

// Seeds draws what hashes are made with, anew for each cleaning, so that nobody can make keys that collide.
func Seeds() [2]maphash.Seed { return [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()} }

// NewKeys returns an empty map in memory, which must be zero, that gets at most load full, from 0 to 1; but one key always fits, if a slot does.
func NewKeys(memory []byte, load float64, seeds [2]maphash.Seed) *Keys {
	slots := uint64(len(memory) / SlotBytes)
	most := min(uint64(float64(slots)*load), slots)
	return &Keys{memory: memory, slots: slots, most: min(max(most, 1), slots), seeds: seeds}
}

// Hash returns the hash of a key.
func (k *Keys) Hash(key []byte) Hash {
	return Hash{maphash.Bytes(k.seeds[0], key), maphash.Bytes(k.seeds[1], key)}
}

// Len returns how many keys there are.
func (k *Keys) Len() int { return int(k.n) }

// Full reports whether no new key may be put.
func (k *Keys) Full() bool { return k.n >= k.most }

// home returns where the slot lies at which the search for h begins.
func (k *Keys) home(h Hash) uint64 {
	slot, _ := bits.Mul64(h.a, k.slots)
	return slot * SlotBytes
}

// Put makes offset that of h. The map must not be Full.
func (k *Keys) Put(h Hash, offset kafka.Offset) {
	slot, found := k.find(h)
	if !found {
		binary.LittleEndian.PutUint64(slot[0:], h.a)
		binary.LittleEndian.PutUint64(slot[8:], h.b)
		k.n++
	}
	binary.LittleEndian.PutUint64(slot[16:], uint64(offset)+1)
}

// Get returns the offset of h, or kafka.NoOffset.
func (k *Keys) Get(h Hash) kafka.Offset {
	if k.n == 0 {
		return kafka.NoOffset
	}
	slot, found := k.find(h)
	if !found {
		return kafka.NoOffset
	}
	return kafka.Offset(binary.LittleEndian.Uint64(slot[16:]) - 1)
}

// find returns the slot of h, or the empty one where it belongs. There is an empty one: nothing is put into a map that is full but for a map of one slot.
func (k *Keys) find(h Hash) (slot []byte, found bool) {
	for at, left := k.home(h), k.slots; ; left-- {
		slot = k.memory[at : at+SlotBytes : at+SlotBytes]
		switch {
		case binary.LittleEndian.Uint64(slot[16:]) == 0:
			return slot, false
		case binary.LittleEndian.Uint64(slot[0:]) == h.a && binary.LittleEndian.Uint64(slot[8:]) == h.b:
			return slot, true
		}
		if at += SlotBytes; at >= k.slots*SlotBytes {
			at = 0
		}
		if left == 1 {
			return slot, false // full, and not in it
		}
	}
}

// touched is how many searches are begun at once (Keys.Touch).
const touched = 32

// Touch brings the slots where the searches for hashes begin into the processor's cache, all at once instead of one after the other: the map is larger than
// the cache, and a wait for each key is where a cleaning would spend its time. The sum is of no use, but for the compiler.
func (k *Keys) Touch(hashes []Hash) (sum uint64) {
	for i := range hashes {
		sum += uint64(k.memory[k.home(hashes[i])+16])
	}
	return sum
}
