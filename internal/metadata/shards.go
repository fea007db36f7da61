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

// shards is an immutable map that is cheap to change: the next version shares all shards but the touched ones.
// The zero value is empty.
type shards[K comparable, V any] struct {
	parts *[shardCount]map[K]V
	size  int
}

func shardOf[K comparable](k K) int { return int(maphash.Comparable(seed, k) % shardCount) }

// get returns the value of k.
func (s shards[K, V]) get(k K) (V, bool) {
	if s.parts == nil {
		var none V
		return none, false
	}
	v, ok := s.parts[shardOf(k)][k]
	return v, ok
}

// all visits the entries in no particular order.
func (s shards[K, V]) all() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		if s.parts == nil {
			return
		}
		for _, part := range s.parts {
			for k, v := range part {
				if !yield(k, v) {
					return
				}
			}
		}
	}
}

// edit starts the next version of s.
func (s shards[K, V]) edit() *shardsEdit[K, V] {
	e := &shardsEdit[K, V]{next: shards[K, V]{parts: new([shardCount]map[K]V), size: s.size}}
	if s.parts != nil {
		*e.next.parts = *s.parts
	}
	return e
}

// shardsEdit builds the next version of a shards; it belongs to one goroutine.
type shardsEdit[K comparable, V any] struct {
	next  shards[K, V]
	owned [shardCount]bool
}

func (e *shardsEdit[K, V]) own(k K) map[K]V {
	i := shardOf(k)
	if !e.owned[i] {
		e.owned[i] = true
		if e.next.parts[i] = maps.Clone(e.next.parts[i]); e.next.parts[i] == nil {
			e.next.parts[i] = make(map[K]V)
		}
	}
	return e.next.parts[i]
}

func (e *shardsEdit[K, V]) set(k K, v V) {
	part := e.own(k)
	before := len(part)
	part[k] = v
	e.next.size += len(part) - before
}

func (e *shardsEdit[K, V]) remove(k K) {
	part := e.own(k)
	before := len(part)
	delete(part, k)
	e.next.size += len(part) - before
}

// finish gives the version that was built; the edit must not be used again.
func (e *shardsEdit[K, V]) finish() shards[K, V] { return e.next }
