package wire

// kind is what the bytes of a field look like.
type kind uint8

const (
	fixed8 kind = iota + 1
	fixed16
	fixed32
	fixed64
	fixed128
	text
	blob
	array
	structure
)

// size is the number of bytes of the fixed kinds.
func (k kind) size() int { return 1 << (k - fixed8) }

// span is an inclusive range of versions.
type span struct{ first, last int16 }

var never = span{0, -1}

func (s span) has(v int16) bool { return v >= s.first && v <= s.last }

// field is one field of a layout: those without a tag come first, in the order of the bytes.
type field struct {
	name   string // as Kafka spells it
	in     span
	null   span
	kind   kind
	elem   kind  // of an array
	least  uint8 // fewest bytes of an element
	tagged bool
	tag    uint8
	fields []field // of a structure, or of an array's
}

// layout is the shape of a request's body in all its versions.
type layout struct {
	name        string
	first, last int16
	flexible    int16 // the first version with compact lengths and tagged fields
	fields      []field
}

// layoutOf returns the layout of key, or nil.
func layoutOf(key int16) *layout {
	if key == KeyRaft {
		return &raftLayout
	}
	if key < 0 || int(key) >= len(layouts) || layouts[key].fields == nil && layouts[key].name == "" {
		return nil
	}
	return &layouts[key]
}

// Name returns Kafka's name of an API key, such as "Produce", or "" when Kafka 4.4 has no such key.
func Name(key int16) string {
	l := layoutOf(key)
	if l == nil {
		return ""
	}
	return l.name
}

// FirstFlexible returns the first version of an API key whose body has compact lengths and tagged fields;
// math.MaxInt16 when no version has. ok is false for an unknown key.
func FirstFlexible(key int16) (v int16, ok bool) {
	l := layoutOf(key)
	if l == nil {
		return 0, false
	}
	return l.flexible, true
}

// Range is the versions of an API key that can be decoded, or that somebody serves; both ends are inclusive.
type Range struct{ Key, Min, Max int16 }

// Has reports whether version is in the range.
func (r Range) Has(version int16) bool { return version >= r.Min && version <= r.Max }

// Decodable returns the versions of key that Decode understands: those that any listener of Kafka 4.4 serves.
// ok is false for an unknown key.
func Decodable(key int16) (r Range, ok bool) {
	l := layoutOf(key)
	if l == nil {
		return Range{}, false
	}
	return Range{key, l.first, l.last}, true
}

// Ranges returns Decodable of every key of Kafka's, ascending.
func Ranges() []Range {
	var out []Range
	for key := range layouts {
		if r, ok := Decodable(int16(key)); ok {
			out = append(out, r)
		}
	}
	return out
}
