package record

// Lengths of the longest varints.
const (
	maxVarint32 = 5
	maxVarint64 = 10
)

// varint reads a zig-zag varint of at most limit bytes. n is 0 if b ends within it, and negative if it is longer.
func varint(b []byte, limit int) (v int64, n int) {
	var u uint64
	for i := range min(len(b), limit) {
		u |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			if limit == maxVarint32 {
				u &= 1<<32 - 1
			}
			return unzigzag(u), i + 1
		}
	}
	if len(b) >= limit {
		return 0, -1
	}
	return 0, 0
}

// varintAt reads the varint at b[i:] and returns where it ends; -1 if there is none. Callers take the short way for one byte, the most
// common length, themselves: this is where a walk over small records spends its time.
func varintAt(b []byte, i, limit int) (v int64, next int) {
	v, n := varint(b[min(i, len(b)):], limit)
	if n <= 0 {
		return 0, -1
	}
	return v, i + n
}

func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// appendVarint appends v as a zig-zag varint.
func appendVarint(dst []byte, v int64) []byte {
	u := uint64(v<<1) ^ uint64(v>>63)
	for u >= 0x80 {
		dst = append(dst, byte(u)|0x80)
		u >>= 7
	}
	return append(dst, byte(u))
}

// varintSize returns how many bytes appendVarint appends.
func varintSize(v int64) int {
	u := uint64(v<<1) ^ uint64(v>>63)
	n := 1
	for u >= 0x80 {
		u >>= 7
		n++
	}
	return n
}
