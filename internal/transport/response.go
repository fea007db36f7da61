package transport

import (
	"encoding/binary"
)

// sizePrefix is the length of the frame size that precedes each request and reply.
const sizePrefix = 4

// copyBelow is the size up to which a file range is read into memory and sent with its neighbours in one call;
// above it sendfile is cheaper.
const copyBelow = 16 << 10

// Response is one reply. The zero Response sends nothing, as a Produce with acks=0 wants.
type Response struct {
	// Buf holds the frame: four bytes for the size, which the connection fills in, then header and body.
	// The connection releases it.
	Buf *Buffer
	// Holes are ranges of files that go out between the bytes of Buf, ascending by At.
	Holes []Hole
	// Close ends the connection after the reply.
	Close bool
}

// Hole is a file range that is sent before Buf.B[At].
type Hole struct {
	At    int
	Range Range
}

// Range is a run of bytes in a file, counted by reference; the connection releases it when it is sent or dropped.
type Range interface {
	// Len is the number of bytes.
	Len() int64
	// ReadAt reads at off, counted from the start of the range.
	ReadAt(p []byte, off int64) (int, error)
	// File returns the descriptor and the position of the first byte. It is false where there is no descriptor
	// (a file in memory). The descriptor is valid until Release.
	File() (fd uintptr, pos int64, ok bool)
	Release()
}

// NewReply returns a buffer that begins with room for the frame size.
func NewReply(capacity int) *Buffer {
	b := NewBuffer(capacity + sizePrefix)
	b.B = b.B[:sizePrefix]
	return b
}

func (r *Response) empty() bool { return r.Buf == nil }

// seal writes the frame size.
func (r *Response) seal() {
	n := int64(len(r.Buf.B) - sizePrefix)
	for _, h := range r.Holes {
		n += h.Range.Len()
	}
	binary.BigEndian.PutUint32(r.Buf.B, uint32(n))
}

// small reports whether the response can be sent as one piece of memory, at a small price.
func (r *Response) small() bool {
	n := int64(len(r.Buf.B))
	for _, h := range r.Holes {
		if n += h.Range.Len(); n > copyBelow {
			return false
		}
	}
	return n <= copyBelow
}

// join copies the response, holes filled. Release the buffer, also after an error.
func (r *Response) join() (*Buffer, error) {
	all := NewBuffer(len(r.Buf.B))
	from := 0
	for _, h := range r.Holes {
		all.B = append(all.B, r.Buf.B[from:h.At]...)
		from = h.At
		var err error
		if all, err = copyRange(all, h.Range); err != nil {
			return all, err
		}
	}
	all.B = append(all.B, r.Buf.B[from:]...)
	return all, nil
}

// copyRange appends the bytes of a range; the buffer may be exchanged for a larger one.
func copyRange(to *Buffer, r Range) (*Buffer, error) {
	n := int(r.Len())
	at := len(to.B)
	if at+n > cap(to.B) {
		larger := NewBuffer(at + n)
		larger.B = append(larger.B, to.B...)
		to.Release()
		to = larger
	}
	to.B = to.B[:at+n]
	_, err := r.ReadAt(to.B[at:], 0)
	return to, err
}

func (r *Response) release() {
	for _, h := range r.Holes {
		h.Range.Release()
	}
	clear(r.Holes) // its memory may be the buffer's, which is used again
	if r.Buf != nil {
		r.Buf.Release()
	}
	*r = Response{}
}
