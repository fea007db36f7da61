package wire

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"runtime/metrics"
	"testing"
)

// ceiling is how much a request of n bytes may allocate.
func ceiling(n int) uint64 { return 64*uint64(n) + 64<<10 }

// allocated returns how many bytes f allocates, give or take what the runtime has not counted yet. The count is of the
// whole process, and the fuzzing engine is part of it: the least of three readings is f's.
func allocated(f func()) uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	least := uint64(math.MaxUint64)
	for range 3 {
		metrics.Read(sample)
		before := sample[0].Value.Uint64()
		f()
		metrics.Read(sample)
		least = min(least, sample[0].Value.Uint64()-before)
	}
	return least
}

// seedFrames gives f a frame of each key and version.
func seedFrames(f *testing.F) {
	for _, r := range Ranges() {
		for v := r.Min; v <= r.Max; v++ {
			req, _ := random(rand.New(rand.NewPCG(uint64(v), uint64(r.Key))), Header{Key: r.Key, Version: v})
			f.Add(frame(req, 1, nil))
		}
	}
}

// FuzzFrame: whatever a client sends is refused or read, without a panic, and within the memory limit.
func FuzzFrame(f *testing.F) {
	seedFrames(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		n := allocated(func() {
			var h Header
			if body, err := h.Parse(b); err == nil {
				_ = Check(h, body)
			}
		})
		if n > ceiling(len(b)) {
			t.Fatalf("%d bytes allocated for %d", n, len(b))
		}
	})
}

// FuzzDecode: as FuzzFrame for the decoder and the views; what the check accepts, kmsg and the views accept.
func FuzzDecode(f *testing.F) {
	seedFrames(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var h Header
		body, err := h.Parse(b)
		if err != nil {
			return
		}
		checked := Check(h, body)
		n := allocated(func() { _, err = Decode(h, body) })
		if (err == nil) != (checked == nil) {
			t.Fatalf("%s version %d: checked %v, decoded %v", Name(h.Key), h.Version, checked, err)
		}
		if n > ceiling(len(b)) {
			t.Fatalf("%s version %d: %d bytes allocated for %d", Name(h.Key), h.Version, n, len(b))
		}
		switch h.Key {
		case keyProduce:
			var p ProduceRequest
			if err := p.Read(h.Version, body); (err == nil) != (checked == nil) {
				t.Fatalf("view %v, check %v", err, checked)
			}
			for it := p.Partitions(); it.Next(); {
				if it.w.err != nil {
					t.Fatal(it.w.err)
				}
			}
		case keyFetch:
			var v FetchRequest
			if n := allocated(func() { err = v.Read(h.Version, body) }); (err == nil) != (checked == nil) || n > ceiling(len(b)) {
				t.Fatalf("view %v, check %v, %d bytes allocated for %d", err, checked, n, len(b))
			}
		}
	})
}

// FuzzReencode: what is decoded can be encoded, and decodes to the same again.
func FuzzReencode(f *testing.F) {
	seedFrames(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var h Header
		body, err := h.Parse(b)
		if err != nil {
			return
		}
		req, err := Decode(h, body)
		if err != nil {
			return
		}
		once := req.AppendTo(nil)
		again, err := Decode(h, once)
		if err != nil {
			t.Fatalf("%s version %d: encoded as %x: %v", Name(h.Key), h.Version, once, err)
		}
		if twice := again.AppendTo(nil); !bytes.Equal(once, twice) {
			t.Fatalf("%s version %d:\n%x\n%x", Name(h.Key), h.Version, once, twice)
		}
	})
}

// The worst that a client can do with each request: arrays of the smallest elements, each with an unknown tag.
func TestAllocationCeiling(t *testing.T) {
	const size = 64 << 10
	everyVersion(t, func(t *testing.T, h Header) {
		l := layoutOf(h.Key)
		for _, tagged := range []bool{false, true} {
			body := flood(l, h.Version, size, tagged)
			if body == nil {
				continue
			}
			var err error
			n := allocated(func() { _, err = Decode(h, body) })
			if err != nil {
				t.Fatalf("version %d: %v", h.Version, err)
			}
			if n > ceiling(len(body)) {
				t.Errorf("version %d, tags %v: %d bytes allocated for %d", h.Version, tagged, n, len(body))
			}
		}
	})
}

// flood returns a request whose arrays at the top hold as many of the smallest elements as size allows.
func flood(l *layout, version int16, size int, tagged bool) []byte {
	g := flooder{version: version, flexible: version >= l.flexible, tagged: tagged}
	if tagged && !g.flexible {
		return nil
	}
	g.structure(l.fields, size)
	return g.b
}

type flooder struct {
	b                []byte
	version          int16
	flexible, tagged bool
}

func (g *flooder) structure(fs []field, size int) {
	for i := range fs {
		if f := &fs[i]; !f.tagged && f.in.has(g.version) {
			g.field(f, size)
		}
	}
	switch {
	case g.tagged:
		g.b = append(g.b, 1, 127, 0)
	case g.flexible:
		g.b = append(g.b, 0)
	}
}

func (g *flooder) field(f *field, size int) {
	switch f.kind {
	case structure:
		if f.null.has(g.version) {
			g.b = append(g.b, 1)
		}
		g.structure(f.fields, size)
	case text:
		g.length(0, 2)
	case blob:
		g.length(0, 4)
	case array:
		g.array(f, size)
	default:
		g.b = append(g.b, make([]byte, f.kind.size())...)
	}
}

func (g *flooder) array(f *field, size int) {
	one := flooder{version: g.version, flexible: g.flexible, tagged: g.tagged}
	one.element(f)
	n := max(1, size/len(one.b))
	g.length(n, 4)
	g.b = append(g.b, bytes.Repeat(one.b, n)...)
}

// element appends the smallest element of f that still makes a decoder allocate: inner arrays have one element.
func (g *flooder) element(f *field) {
	switch f.elem {
	case structure:
		g.structure(f.fields, 1)
	case text:
		g.length(0, 2)
	case blob:
		g.length(0, 4)
	default:
		g.b = append(g.b, make([]byte, f.elem.size())...)
	}
}

func (g *flooder) length(n, width int) {
	switch {
	case g.flexible:
		g.b = binary.AppendUvarint(g.b, uint64(n)+1)
	case width == 2:
		g.b = binary.BigEndian.AppendUint16(g.b, uint16(n))
	default:
		g.b = binary.BigEndian.AppendUint32(g.b, uint32(n))
	}
}
