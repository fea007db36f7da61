// Package xxh3 is the hash XXH3 with 64 bits and without a seed, by which Kafka tells whether the topics of a consumer group
// changed (KIP-1101).
//
// Layer 2, pure; part of package group. The algorithm is that of xxHash 0.8; it takes any input, and is not meant to be fast
// beyond that.
package xxh3

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
)

// The primes of xxHash.
const (
	prime32_1 = 0x9E3779B1
	prime32_2 = 0x85EBCA77
	prime32_3 = 0xC2B2AE3D
	prime64_1 = 0x9E3779B185EBCA87
	prime64_2 = 0xC2B2AE3D27D4EB4F
	prime64_3 = 0x165667B19E3779F9
	prime64_4 = 0x85EBCA77C2B2AE63
	prime64_5 = 0x27D4EB2F165667C5
)

// secret is the secret that XXH3 uses when it is given none.
var secret = func() []byte {
	b, err := hex.DecodeString("b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f" +
		"cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c" +
		"3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8" +
		"a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364" +
		"eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e" +
		"2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")
	if err != nil {
		panic(err)
	}
	return b
}()

const (
	stripe   = 64
	perBlock = 16 // stripes
	block    = stripe * perBlock
)

func u32(b []byte) uint64 { return uint64(binary.LittleEndian.Uint32(b)) }
func u64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// key is the bitwise difference of two words of the secret.
func key(at int) uint64 { return u64(secret[at:]) ^ u64(secret[at+8:]) }

// Sum64 returns the hash of b.
func Sum64(b []byte) uint64 {
	n := len(b)
	switch {
	case n == 0:
		return avalanche64(key(56))
	case n <= 3:
		return upTo3(b)
	case n <= 8:
		return upTo8(b)
	case n <= 16:
		return upTo16(b)
	case n <= 128:
		return upTo128(b)
	case n <= 240:
		return upTo240(b)
	}
	return long(b)
}

func upTo3(b []byte) uint64 {
	n := len(b)
	word := uint32(b[0])<<16 | uint32(b[n/2])<<24 | uint32(b[n-1]) | uint32(n)<<8
	return avalanche64(uint64(word) ^ u32(secret) ^ u32(secret[4:]))
}

func upTo8(b []byte) uint64 {
	n := len(b)
	h := (u32(b[n-4:]) + u32(b)<<32) ^ key(8)
	h ^= bits.RotateLeft64(h, 49) ^ bits.RotateLeft64(h, 24)
	h *= 0x9FB21C651E98DF25
	h ^= h>>35 + uint64(n)
	h *= 0x9FB21C651E98DF25
	return h ^ h>>28
}

func upTo16(b []byte) uint64 {
	n := len(b)
	low, high := u64(b)^key(24), u64(b[n-8:])^key(40)
	return avalanche(uint64(n) + bits.ReverseBytes64(low) + high + fold(low, high))
}

func upTo128(b []byte) uint64 {
	n := len(b)
	h := uint64(n) * prime64_1
	for i := (n - 1) / 32; i >= 0; i-- {
		h += mix(b[16*i:], 32*i) + mix(b[n-16*(i+1):], 32*i+16)
	}
	return avalanche(h)
}

func upTo240(b []byte) uint64 {
	n := len(b)
	h := uint64(n) * prime64_1
	for i := range 8 {
		h += mix(b[16*i:], 16*i)
	}
	h = avalanche(h)
	for i := 8; i < n/16; i++ {
		h += mix(b[16*i:], 16*(i-8)+3)
	}
	return avalanche(h + mix(b[n-16:], 136-17))
}

func long(b []byte) uint64 {
	acc := [8]uint64{prime32_3, prime64_1, prime64_2, prime64_3, prime64_4, prime32_2, prime64_5, prime32_1}
	n := len(b)
	last := b[n-stripe:]
	for len(b) > block {
		for i := range perBlock {
			accumulate(&acc, b[i*stripe:], 8*i)
		}
		scramble(&acc)
		b = b[block:]
	}
	for i := 0; len(b) > stripe; i++ {
		accumulate(&acc, b, 8*i)
		b = b[stripe:]
	}
	accumulate(&acc, last, len(secret)-stripe-7)

	h := uint64(n) * prime64_1
	for i := range 4 {
		h += fold(acc[2*i]^u64(secret[11+16*i:]), acc[2*i+1]^u64(secret[19+16*i:]))
	}
	return avalanche(h)
}

func accumulate(acc *[8]uint64, b []byte, at int) {
	for i := range acc {
		word := u64(b[8*i:])
		keyed := word ^ u64(secret[at+8*i:])
		acc[i^1] += word
		acc[i] += keyed & 0xFFFFFFFF * (keyed >> 32)
	}
}

func scramble(acc *[8]uint64) {
	for i := range acc {
		acc[i] = (acc[i] ^ acc[i]>>47 ^ u64(secret[len(secret)-stripe+8*i:])) * prime32_1
	}
}

func mix(b []byte, at int) uint64 {
	return fold(u64(b)^u64(secret[at:]), u64(b[8:])^u64(secret[at+8:]))
}

func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

func avalanche(h uint64) uint64 {
	h = (h ^ h>>37) * 0x165667919E3779F9
	return h ^ h>>32
}

func avalanche64(h uint64) uint64 {
	h = (h ^ h>>33) * prime64_2
	h = (h ^ h>>29) * prime64_3
	return h ^ h>>32
}
