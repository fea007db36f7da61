package java

import (
	"slices"
	"unicode/utf16"
)

// HashString is the hash of a string.
func HashString(s string) int32 {
	var h int32
	for _, r := range s {
		if a, b := utf16.EncodeRune(r); r > 0xffff {
			h = (h*31+a)*31 + b
			continue
		}
		h = h*31 + r
	}
	return h
}

// HashPartition is the hash of Kafka's TopicPartition.
func HashPartition(topic string, partition int32) int32 {
	return 31*(31+partition) + HashString(topic)
}

// HashOrder returns items in the order in which a HashMap gives back keys that were put into it in the order of items, without
// duplicates. A map of thousands of keys may differ where keys collide: long chains become trees.
func HashOrder[T any](items []T, hash func(T) int32) []T { return HashOrderSized(items, 16, hash) }

// HashOrderSized is HashOrder of a HashMap that was made with a capacity.
func HashOrderSized[T any](items []T, capacity int, hash func(T) int32) []T {
	size := uint32(1)
	for int(size) < capacity {
		size *= 2
	}
	for float64(len(items)) > 0.75*float64(size) {
		size *= 2
	}
	bucket := func(item T) uint32 {
		h := uint32(hash(item))
		return (h ^ h>>16) & (size - 1)
	}
	ordered := slices.Clone(items)
	slices.SortStableFunc(ordered, func(a, b T) int { return int(bucket(a)) - int(bucket(b)) })
	return ordered
}

// HashOrderCopied is HashOrder of a HashMap that was made as a copy of another map.
func HashOrderCopied[T any](items []T, hash func(T) int32) []T {
	return HashOrderSized(items, int(float32(len(items))/0.75+1), hash)
}

// HashInt is the hash of an Integer.
func HashInt(n int32) int32 { return n }

// StringOrder is HashOrder of strings.
func StringOrder(items []string) []string { return HashOrder(items, HashString) }
