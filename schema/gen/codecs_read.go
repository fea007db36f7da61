package main

// readFunc writes the method that decodes s.
func (e *emitter) readFunc(s *structure) {
	name := goName(s.name)
	all := tags(s)
	if len(s.fields) == 0 {
		e.f("func (*%s) read(r *reader, _ int16) {\nr.tags(nil)\n}\n\n", name)
		return
	}
	e.f("func (x *%s) read(r *reader, %s int16) {\n", name, e.version(s))
	e.f("*x = %s{%s}\n", name, e.defaults(s))
	for _, f := range s.fields {
		if f.tag < 0 {
			e.guarded(e.cond(f.in), func() { e.readField(f) })
		}
	}
	if e.flexible() {
		e.guarded(map[bool]string{true: "", false: e.flex()}[e.flex() == "true"], func() { e.readTags(all) })
	}
	e.f("}\n\n")
}

func (e *emitter) readTags(all []*field) {
	if len(all) == 0 {
		e.f("r.tags(nil)\n")
		return
	}
	for _, f := range all {
		if f.typ.kind == kindStruct { // it is empty, not null, unless it is there
			e.guarded(e.cond(f.in), func() { e.f("x.%s = new(%s)\n", goName(f.name), goName(f.typ.name)) })
		}
	}
	e.f("r.tags(func(r *reader, tag uint64) bool {\nswitch {\n")
	for _, f := range all {
		cond := e.cond(f.in)
		if cond != "" {
			cond = " && " + cond
		}
		e.f("case tag == %d%s:\n", f.tag, cond)
		e.readField(f)
	}
	e.f("default:\nreturn false\n}\nreturn true\n})\n")
}

// readField writes the statement that decodes one field.
func (e *emitter) readField(f *field) {
	name := "x." + goName(f.name)
	switch {
	case f.typ.kind != kindStruct:
		e.f("%s = %s\n", name, e.readValue(f))
	case f.nullable.empty():
		e.f("%s.read(r, v)\n", name)
	case f.tag >= 0:
		e.f("if %s = nil; r.uvarint() > 0 {\n%s = new(%s)\n%s.read(r, v)\n}\n", name, name, goName(f.typ.name), name)
	default:
		e.f("if r.int8() >= 0 {\n%s = new(%s)\n%s.read(r, v)\n}\n", name, goName(f.typ.name), name)
	}
}

// readValue is the Go expression that decodes one field that is no struct.
func (e *emitter) readValue(f *field) string {
	flex, null := e.flex(), e.nullable(f)
	switch t := f.typ; t.kind {
	case kindArray:
		return e.readArray(f, flex, null)
	case kindString:
		if f.nullable.empty() {
			return "r.string(" + flex + ")"
		}
		return "r.nullableString(" + null + ", " + flex + ")"
	case kindBytes, kindRecords:
		return "r.bytes(" + null + ", " + flex + ")"
	default:
		return "r." + lowerFirst(primitives[t.name].call) + "()"
	}
}

func (e *emitter) readArray(f *field, flex, null string) string {
	el := *f.typ.elem
	least := itoa(el.minSize(f.in.and(e.m.in), e.m.flexible))
	args := "(r, " + least + ", " + null + ", " + flex + ", "
	switch el.kind {
	case kindStruct:
		return "readStructs(r, " + least + ", " + null + ", " + flex + ", v, (*" + goName(el.name) + ").read)"
	case kindString:
		return "readArray" + args + "func(r *reader) string { return r.string(" + flex + ") })"
	}
	return "readArray" + args + "(*reader)." + lowerFirst(primitives[el.name].call) + ")"
}
