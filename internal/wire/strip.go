package wire

import "encoding/binary"

// strip returns a copy of body without the tagged fields that its layout does not have. body has been checked.
// kmsg would keep them in a map for each structure, which costs many times their size.
func strip(h Header, body []byte) []byte {
	l := layoutOf(h.Key)
	s := stripper{walker: walker{b: body, version: h.Version, flexible: true}, out: make([]byte, 0, len(body))}
	s.fields(l.fields)
	return s.out
}

// stripper copies while it walks. What walker has passed lies in out, except b[from:at].
type stripper struct {
	walker
	from int
	out  []byte
}

// flush copies what was passed since the last flush.
func (s *stripper) flush() {
	s.out = append(s.out, s.b[s.from:s.at]...)
	s.from = s.at
}

func (s *stripper) fields(fs []field) {
	for i := range fs {
		f := &fs[i]
		if f.tagged {
			break
		}
		if f.in.has(s.version) {
			s.field(f)
		}
	}
	s.tags(fs)
}

func (s *stripper) field(f *field) {
	null := f.null.has(s.version)
	switch {
	case f.kind == structure:
		if !null || s.int8() >= 0 {
			s.fields(f.fields)
		}
	case f.kind == array && f.elem == structure:
		for n := s.count(null, int(f.least)); n > 0; n-- {
			s.fields(f.fields)
		}
	default:
		s.walker.field(f)
	}
}

// tags rewrites a tagged section: the count, and for each known field its tag, its new size and its stripped value.
func (s *stripper) tags(fs []field) {
	s.flush()
	section := walker{b: s.b, at: s.at, version: s.version}
	known := uint64(0)
	for n := section.uvarint(); n > 0; n-- {
		if s.tagged(fs, section.uvarint()) != nil {
			known++
		}
		section.skip(int(section.uvarint()))
	}
	s.out = binary.AppendUvarint(s.out, known)
	for n := s.uvarint(); n > 0; n-- {
		tag, size := s.uvarint(), int(s.uvarint())
		value := s.skip(size)
		f := s.tagged(fs, tag)
		if f == nil {
			continue
		}
		inner := stripper{walker: walker{b: value, version: s.version, flexible: true}}
		inner.field(f)
		inner.flush()
		s.out = binary.AppendUvarint(s.out, uint64(tag))
		s.out = binary.AppendUvarint(s.out, uint64(len(inner.out)))
		s.out = append(s.out, inner.out...)
	}
	s.from = s.at
}
