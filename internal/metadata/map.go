package metadata

import (
	"hash/maphash"
	"iter"
	"maps"
)

// shardCount trades the cost of a change (one array of this many pointers and one shard are copied) against the
// size of a shard: at 100,000 entries a shard holds about 200.
const shardCount = 512

// seed places keys in shards. It differs between processes, so no order of iteration may reach an output.
var seed = maphash.MakeSeed()

// Map is an immutable map that is cheap to change: the next version shares all shards but the touched ones.
// The zero value is empty.
type Map[K comparable, V any] struct {
	parts *[shardCount]map[K]V
	size  int
}

func shardOf[K comparable](k K) int { return int(maphash.Comparable(seed, k) % shardCount) }

// Get returns the value of k, and false if there is none.
func (m Map[K, V]) Get(k K) (V, bool) {
	if m.parts == nil {
		var none V
		return none, false
	}
	v, ok := m.parts[shardOf(k)][k]
	return v, ok
}

// Len returns the number of entries.
func (m Map[K, V]) Len() int { return m.size }

// All visits the entries in no particular order.
func (m Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		if m.parts == nil {
			return
		}
		for _, part := range m.parts {
			for k, v := range part {
				if !yield(k, v) {
					return
				}
			}
		}
	}
}

// Edit starts the next version of m.
func (m Map[K, V]) Edit() *MapEdit[K, V] {
	e := &MapEdit[K, V]{next: Map[K, V]{parts: new([shardCount]map[K]V), size: m.size}}
	if m.parts != nil {
		*e.next.parts = *m.parts
	}
	return e
}

// MapEdit builds the next version of a Map; it belongs to one goroutine.
type MapEdit[K comparable, V any] struct {
	next  Map[K, V]
	owned [shardCount]bool
}

func (e *MapEdit[K, V]) own(k K) map[K]V {
	i := shardOf(k)
	if !e.owned[i] {
		e.owned[i] = true
		if e.next.parts[i] = maps.Clone(e.next.parts[i]); e.next.parts[i] == nil {
			e.next.parts[i] = make(map[K]V)
		}
	}
	return e.next.parts[i]
}

// Set makes v the value of k.
func (e *MapEdit[K, V]) Set(k K, v V) {
	part := e.own(k)
	before := len(part)
	part[k] = v
	e.next.size += len(part) - before
}

// Remove takes k out.
func (e *MapEdit[K, V]) Remove(k K) {
	part := e.own(k)
	before := len(part)
	delete(part, k)
	e.next.size += len(part) - before
}

// Finish gives the version that was built; the edit must not be used again.
func (e *MapEdit[K, V]) Finish() Map[K, V] { return e.next }
