package kafkatools

import (
	"cmp"
	"slices"
	"unicode/utf16"
)

// Some of Apache's tools print the entries of a HashMap. Its order follows from the hashes of the keys, the size of the
// table and, within a bucket, the order of insertion; so it is part of their output, and this is it.

// javaDefault is the capacity of a HashMap that was made without one.
const javaDefault = 16

// javaOrder is the order in which a HashMap made with the capacity yields items inserted in the order given.
func javaOrder[T any](items []T, capacity int, hash func(T) int32) []T {
	table := 1
	for table < capacity {
		table *= 2
	}
	for 4*len(items) > 3*table {
		table *= 2
	}
	bucket := func(item T) uint32 {
		h := uint32(hash(item))
		return (h ^ h>>16) & uint32(table-1)
	}
	ordered := slices.Clone(items)
	slices.SortStableFunc(ordered, func(a, b T) int { return cmp.Compare(bucket(a), bucket(b)) })
	return ordered
}

// javaCopied is the order of a HashMap that was made as a copy of a map that yields items in the order given.
func javaCopied[T any](items []T, hash func(T) int32) []T {
	return javaOrder(items, int(float32(len(items))/0.75+1), hash)
}

// javaString is String.hashCode.
func javaString(s string) int32 {
	var h int32
	for _, u := range utf16.Encode([]rune(s)) {
		h = 31*h + int32(u)
	}
	return h
}

// javaInt is Integer.hashCode.
func javaInt(n int32) int32 { return n }

// javaPartition is TopicPartition.hashCode.
func javaPartition(topic string, partition int32) int32 {
	return 31*(31+partition) + javaString(topic)
}
