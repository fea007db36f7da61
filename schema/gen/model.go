package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// versions is an inclusive range; last is math.MaxInt16 for an open one. The zero value is version 0 alone.
type versions struct{ first, last int16 }

var (
	allVersions = versions{0, math.MaxInt16}
	noVersions  = versions{0, -1}
)

// parseVersions reads "3", "3+", "3-5" or "none".
func parseVersions(s string) (versions, error) {
	if s == "none" {
		return noVersions, nil
	}
	from, to, ranged := strings.Cut(s, "-")
	from, open := strings.CutSuffix(from, "+")
	first, err := strconv.ParseInt(from, 10, 16)
	if err != nil || first < 0 || open && ranged {
		return noVersions, fmt.Errorf("%q is no version range", s)
	}
	v := versions{int16(first), int16(first)}
	switch {
	case open:
		v.last = math.MaxInt16
	case ranged:
		last, err := strconv.ParseInt(to, 10, 16)
		if err != nil || last < first {
			return noVersions, fmt.Errorf("%q is no version range", s)
		}
		v.last = int16(last)
	}
	return v, nil
}

func (v versions) empty() bool { return v.first > v.last }

func (v versions) has(n int16) bool { return n >= v.first && n <= v.last }

// covers reports whether v holds every version of w.
func (v versions) covers(w versions) bool {
	return w.empty() || v.first <= w.first && v.last >= w.last
}

// and returns the versions in both.
func (v versions) and(w versions) versions {
	return versions{max(v.first, w.first), min(v.last, w.last)}
}

// kind is what a field's bytes look like.
type kind int

const (
	kindBool kind = iota
	kindInt8
	kindInt16
	kindUint16
	kindInt32
	kindUint32
	kindInt64
	kindFloat64
	kindUUID
	kindString
	kindBytes
	kindRecords
	kindArray
	kindStruct
)

// primitives are the kinds that have a name in the grammar. A size of 0 says that the length is in the bytes.
var primitives = map[string]struct {
	kind kind
	size int
	goes string // the Go type
	call string // the suffix of the runtime's functions
}{
	"bool":    {kindBool, 1, "bool", "Bool"},
	"int8":    {kindInt8, 1, "int8", "Int8"},
	"int16":   {kindInt16, 2, "int16", "Int16"},
	"uint16":  {kindUint16, 2, "uint16", "Uint16"},
	"int32":   {kindInt32, 4, "int32", "Int32"},
	"uint32":  {kindUint32, 4, "uint32", "Uint32"},
	"int64":   {kindInt64, 8, "int64", "Int64"},
	"float64": {kindFloat64, 8, "float64", "Float64"},
	"uuid":    {kindUUID, 16, "kafka.UUID", "UUID"},
	"string":  {kindString, 0, "string", "String"},
	"bytes":   {kindBytes, 0, "[]byte", "Bytes"},
	"records": {kindRecords, 0, "[]byte", "Bytes"},
}

// fieldType is a field's type: a primitive by name, an array of elem, or a struct.
type fieldType struct {
	kind kind
	name string // the primitive's or the struct's
	elem *fieldType
	body *structure
}

// structure is a sequence of fields that travel together.
type structure struct {
	name   string
	doc    []string
	fields []*field
}

// field is one line of a definition.
type field struct {
	name     string // as Kafka spells it; the JSON name is this with a small first letter
	doc      []string
	typ      fieldType
	in       versions
	nullable versions
	tag      int    // -1: not tagged
	deflt    string // "": the type's zero; "null"
	note     string // where it was defined, for errors
}

// message is one definition: a record, or a request.
type message struct {
	structure
	kind     string // metadata, group, control, file, request, …
	key      int    // -1: none
	value    bool   // the value of a record whose key is another message of the same number
	in       versions
	flexible versions
	shared   []*structure
	path     string
}

// initialisms are the words that Go spells in capitals.
var initialisms = map[string]string{"Id": "ID", "Ids": "IDs", "Isr": "ISR", "Elr": "ELR", "Crc": "CRC"}

// goName turns Kafka's spelling into Go's: TopicId → TopicID.
func goName(s string) string {
	s = strings.ToUpper(s[:1]) + s[1:] // some of Kafka's older schemas begin small
	var out strings.Builder
	for len(s) > 0 {
		end := 1
		for end < len(s) && !(s[end] >= 'A' && s[end] <= 'Z') {
			end++
		}
		if word, ok := initialisms[s[:end]]; ok {
			out.WriteString(word)
		} else {
			out.WriteString(s[:end])
		}
		s = s[end:]
	}
	return out.String()
}

// jsonName is the name in Kafka's JSON: TopicId → topicId.
func jsonName(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// minSize is the least number of bytes that t takes in any version of in, never 0: it bounds a count by the bytes left.
func (t fieldType) minSize(in versions, flexible versions) int {
	switch t.kind {
	case kindString, kindArray, kindBytes, kindRecords:
		if !flexible.and(in).empty() {
			return 1
		}
		if t.kind == kindString {
			return 2
		}
		return 4
	case kindStruct:
		return t.body.minSize(in, flexible)
	}
	return primitives[t.name].size
}

// minSize is the least over the versions of in, open ends cut at the last version that any field names.
func (s *structure) minSize(in versions, flexible versions) int {
	least := math.MaxInt
	for v := in.first; v <= min(in.last, in.first+64); v++ {
		size, one := 0, versions{v, v}
		if flexible.has(v) {
			size = 1
		}
		for _, f := range s.fields {
			switch {
			case !f.in.has(v) || f.tag >= 0:
			case f.typ.kind == kindStruct && f.nullable.has(v):
				size++
			default:
				size += f.typ.minSize(one, flexible)
			}
		}
		least = min(least, size)
	}
	return max(least, 1)
}
