package compaction

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

// TestKeysAreAMap puts random keys until the map is full, at several loads.
func TestKeysAreAMap(t *testing.T) {
	for _, load := range []float64{0, 0.5, 0.9, 1, 7, -1, math.NaN()} {
		for slots := range 40 {
			k := NewKeys(make([]byte, (slots+1)*SlotBytes+5), load, Seeds())
			want := map[string]kafka.Offset{}
			rng := rand.New(rand.NewPCG(uint64(slots), 0))
			for i := kafka.Offset(0); !k.Full(); i++ {
				key := fmt.Sprint(rng.IntN(60))
				k.Put(k.Hash([]byte(key)), i)
				want[key] = i
			}
			if k.Len() != len(want) || k.Len() > slots+1 {
				t.Fatalf("%d keys in %d slots, want %d", k.Len(), slots+1, len(want))
			}
			if load == 0.5 && k.Len() > max(1, (slots+1)/2) {
				t.Fatalf("%d keys in %d slots", k.Len(), slots+1)
			}
			for i := range 60 {
				key := fmt.Sprint(i)
				offset, ok := want[key]
				if !ok {
					offset = kafka.NoOffset
				}
				if got := k.Get(k.Hash([]byte(key))); got != offset {
					t.Fatalf("load %v, %d slots: %s is at %d, want %d", load, slots+1, key, got, offset)
				}
			}
		}
	}
}

// The empty key is one, and other than no key.
func TestEmptyKey(t *testing.T) {
	k := NewKeys(make([]byte, 10*SlotBytes), 0.9, Seeds())
	if k.Get(k.Hash(nil)) != kafka.NoOffset {
		t.Error("an empty map has a key")
	}
	k.Put(k.Hash([]byte{}), 0)
	if k.Get(k.Hash([]byte{})) != 0 {
		t.Error("the key is lost")
	}
}
