package transport

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Buffer sizes are powers of four from 4 KiB to 4 MiB; a larger buffer is made to measure and not pooled.
const (
	minClassBits = 12
	maxClassBits = 22
	classCount   = (maxClassBits-minClassBits)/2 + 1
)

var pools [classCount]sync.Pool

// Buffer is pooled memory with a reference count. B may be resliced and appended to freely.
type Buffer struct {
	B []byte
	// Holes is memory for the holes of a response that is built in B.
	Holes []Hole
	class int8 // index into pools, or -1
	refs  atomic.Int32
}

// NewBuffer returns an empty buffer with a capacity of at least n bytes and one reference.
// Its memory holds whatever its last user left there.
func NewBuffer(n int) *Buffer {
	class := classOf(n)
	if class < 0 {
		b := &Buffer{B: make([]byte, 0, n), class: -1}
		b.refs.Store(1)
		return b
	}
	b, _ := pools[class].Get().(*Buffer)
	if b == nil {
		b = &Buffer{B: make([]byte, 0, 1<<(minClassBits+2*class)), class: int8(class)}
	}
	b.refs.Store(1)
	return b
}

func classOf(n int) int {
	if n <= 1<<minClassBits {
		return 0
	}
	if n > 1<<maxClassBits {
		return -1
	}
	return (bits.Len(uint(n-1)) - minClassBits + 1) / 2
}

// Retain adds a reference.
func (b *Buffer) Retain() { b.refs.Add(1) }

// Release drops a reference; after the last one the memory belongs to somebody else.
func (b *Buffer) Release() {
	switch n := b.refs.Add(-1); {
	case n > 0:
	case n < 0:
		panic("transport: buffer released twice")
	default:
		b.recycle()
	}
}

func (b *Buffer) recycle() {
	poison(b.B[:cap(b.B)])
	if b.class < 0 || cap(b.B) != 1<<(minClassBits+2*int(b.class)) {
		return // made to measure, or outgrown by append
	}
	b.B, b.Holes = b.B[:0], b.Holes[:0]
	pools[b.class].Put(b)
}
