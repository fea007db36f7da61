package coordinator

import "math"

// PartitionFor is the partition of an internal topic that a key belongs to. Kafka's is the same: the key's hash as Java
// has it, over UTF-16.
func PartitionFor(key string, partitions int32) int32 {
	var h int32
	for _, r := range key {
		if r >= 0x10000 {
			r -= 0x10000
			h = 31*h + 0xd800 + r>>10
			r = 0xdc00 + r&0x3ff
		}
		h = 31*h + r
	}
	switch {
	case h == math.MinInt32: // which has no positive counterpart
		h = 0
	case h < 0:
		h = -h
	}
	return h % partitions
}
