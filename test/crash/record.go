package main

import (
	"encoding/binary"
	"hash/fnv"
)

// id names one record: the sequence counts the records of one producer in one partition.
type id struct {
	producer  uint32
	partition int32
	seq       uint32
}

const headerSize = 4 + 4 + 4 + 2 + 8

// encode gives the value of a record: its id, a size, a hash of both, and padding that follows from the id.
func (r id) encode(size int) []byte {
	b := make([]byte, headerSize+size)
	binary.BigEndian.PutUint32(b, r.producer)
	binary.BigEndian.PutUint32(b[4:], uint32(r.partition))
	binary.BigEndian.PutUint32(b[8:], r.seq)
	binary.BigEndian.PutUint16(b[12:], uint16(size))
	binary.BigEndian.PutUint64(b[14:], sum(b[:14]))
	for i := range b[headerSize:] {
		b[headerSize+i] = r.pad(i)
	}
	return b
}

// pad is the i-th byte of the padding; runs of equal bytes give the codecs something to do.
func (r id) pad(i int) byte { return byte(r.seq) ^ byte(r.producer) + byte(i/16) }

func sum(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}

// decode is false for a value that no producer of ours has written.
func decode(b []byte) (id, bool) {
	if len(b) < headerSize || sum(b[:14]) != binary.BigEndian.Uint64(b[14:]) {
		return id{}, false
	}
	r := id{producer: binary.BigEndian.Uint32(b), partition: int32(binary.BigEndian.Uint32(b[4:])), seq: binary.BigEndian.Uint32(b[8:])}
	if int(binary.BigEndian.Uint16(b[12:])) != len(b)-headerSize {
		return id{}, false
	}
	for i, c := range b[headerSize:] {
		if c != r.pad(i) {
			return id{}, false
		}
	}
	return r, true
}
