package main

// appendFunc writes the method that encodes s.
func (e *emitter) appendFunc(s *structure) {
	recv := "x"
	if len(s.fields) == 0 {
		recv = ""
	}
	e.f("func (%s *%s) append(b []byte, %s int16) []byte {\n", recv, goName(s.name), e.version(s))
	for _, f := range s.fields {
		if f.tag < 0 {
			e.guarded(e.cond(f.in), func() { e.appendField(f, "x."+goName(f.name)) })
		}
	}
	if e.flexible() {
		e.appendTags(s)
	}
	e.f("return b\n}\n\n")
}

// appendField encodes one field whose value is the expression val.
func (e *emitter) appendField(f *field, val string) {
	switch t := f.typ; t.kind {
	case kindArray:
		e.f("b = appendCount(b, len(%s), %s, %s)\n", val, e.isNull(f, val), e.flex())
		e.f("for i := range %s {\n", val)
		e.appendValue(*t.elem, val+"[i]")
		e.f("}\n")
	case kindStruct:
		if f.nullable.empty() {
			e.appendValue(t, val)
			return
		}
		null := "0xff"
		if f.tag >= 0 { // a uvarint there
			null = "0"
		}
		e.f("if %s == nil {\nb = append(b, %s)\n} else {\nb = %s.append(append(b, 1), v)\n}\n", val, null, val)
	case kindString:
		if f.nullable.empty() {
			e.appendValue(t, val)
			return
		}
		e.f("b = appendNullableString(b, %s, %s)\n", val, e.flex())
	case kindBytes, kindRecords:
		e.f("b = appendBytes(b, %s, %s, %s)\n", val, e.nullable(f), e.flex())
	default:
		e.appendValue(t, val)
	}
}

// isNull is the Go condition for writing the array val as null.
func (e *emitter) isNull(f *field, val string) string {
	switch null := e.nullable(f); null {
	case "false":
		return null
	case "true":
		return val + " == nil"
	default:
		return val + " == nil && " + null
	}
}

// appendValue encodes a value that is not null.
func (e *emitter) appendValue(t fieldType, val string) {
	switch t.kind {
	case kindStruct:
		e.f("b = %s.append(b, v)\n", val)
	case kindString:
		e.f("b = appendString(b, %s, %s)\n", val, e.flex())
	default:
		e.f("b = append%s(b, %s)\n", primitives[t.name].call, val)
	}
}

// appendTags writes the tagged section: what is at its default stays away.
func (e *emitter) appendTags(s *structure) {
	all := tags(s)
	e.guarded(map[bool]string{true: "", false: e.flex()}[e.flex() == "true"], func() {
		if len(all) == 0 {
			e.f("b = append(b, 0)\n")
			return
		}
		e.f("n := uint64(0)\n")
		for _, f := range all {
			e.guarded(e.present(f), func() { e.f("n++\n") })
		}
		e.f("b = binary.AppendUvarint(b, n)\n")
		for _, f := range all {
			cond := e.present(f)
			if cond != "" {
				cond = "if " + cond + " "
			}
			e.f("%s{\n", cond)
			e.f("b = binary.AppendUvarint(b, %d)\n", f.tag)
			e.f("at := len(b)\n")
			e.appendField(f, "x."+goName(f.name))
			e.f("b = sizeTag(b, at)\n}\n")
		}
	})
}

// present is the Go condition for "this tagged field is written", "" for always.
func (e *emitter) present(f *field) string {
	val, cond := "x."+goName(f.name), e.cond(f.in)
	if f.typ.kind == kindStruct {
		return cond // null is not its default
	}
	if cond != "" {
		cond += " && "
	}
	switch {
	case !f.nullable.empty() && f.deflt == "null":
		return cond + val + " != nil"
	case f.typ.kind == kindArray || f.typ.kind == kindBytes || f.typ.kind == kindString:
		return cond + "len(" + val + ") > 0"
	case f.typ.kind == kindBool && f.deflt != "true":
		return cond + val
	case f.typ.kind == kindUUID:
		return cond + "!" + val + ".IsZero()"
	case f.deflt == "":
		return cond + val + " != 0"
	}
	return cond + val + " != " + f.deflt
}
