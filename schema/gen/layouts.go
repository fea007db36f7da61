package main

import (
	"cmp"
	"math"
	"slices"
)

// emitLayouts writes the table by which package wire checks the body of a request.
func emitLayouts(requests []*message) string {
	slices.SortFunc(requests, func(a, b *message) int { return cmp.Compare(a.key, b.key) })
	var e emitter
	e.header("wire")
	e.f("// layouts is indexed by API key; a zero element is a key that is not served.\nvar layouts = [...]layout{\n")
	for _, m := range requests {
		e.m = m
		flex := int16(math.MaxInt16)
		if in := m.flexible.and(m.in); !in.empty() {
			flex = m.flexible.first
		}
		e.f("%d: {name: %q, first: %d, last: %d, flexible: %d, fields: []field{\n", m.key, m.name, m.in.first, m.in.last, flex)
		e.layoutFields(&m.structure)
		e.f("}},\n")
	}
	e.f("}\n")
	return e.String()
}

// layoutFields writes the fields of s that are not tagged in the order of the bytes, then the tagged by tag.
func (e *emitter) layoutFields(s *structure) {
	for _, f := range s.fields {
		if f.tag < 0 {
			e.layoutField(f)
		}
	}
	for _, f := range tags(s) {
		e.layoutField(f)
	}
}

func (e *emitter) layoutField(f *field) {
	in := f.in.and(e.m.in)
	if in.empty() {
		return
	}
	e.f("{name: %q, in: span{%d, %d}", f.name, in.first, in.last)
	if null := f.nullable.and(in); !null.empty() {
		e.f(", null: span{%d, %d}", null.first, null.last)
	} else {
		e.f(", null: never")
	}
	if f.tag >= 0 {
		e.f(", tagged: true, tag: %d", f.tag)
	}
	t := f.typ
	switch t.kind {
	case kindArray:
		e.f(", kind: array, least: %d", t.elem.minSize(in, e.m.flexible))
		if t.elem.kind == kindStruct {
			e.f(", elem: structure")
			t = *t.elem
		} else {
			e.f(", elem: %s", layoutKind(*t.elem))
		}
	default:
		e.f(", kind: %s", layoutKind(t))
	}
	if t.kind == kindStruct {
		e.f(", fields: []field{\n")
		e.layoutFields(t.body)
		e.f("}")
	}
	e.f("},\n")
}

func layoutKind(t fieldType) string {
	switch t.kind {
	case kindString:
		return "text"
	case kindBytes, kindRecords:
		return "blob"
	case kindStruct:
		return "structure"
	}
	return "fixed" + itoa(8*primitives[t.name].size)
}
