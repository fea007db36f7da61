package main

import (
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// lowerFirst turns a runtime function's suffix into the reader's method: Int32 → int32, UUID → uuid.
func lowerFirst(s string) string {
	if s == strings.ToUpper(s) {
		return strings.ToLower(s)
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// jsonFunc writes the method that prints s.
func (e *emitter) jsonFunc(s *structure) {
	recv := "x"
	if len(s.fields) == 0 {
		recv = ""
	}
	e.f("func (%s *%s) appendJSON(b []byte, %s int16) []byte {\n", recv, goName(s.name), e.version(s))
	e.f("b = append(b, '{')\n")
	for _, f := range s.fields {
		cond := e.cond(f.in)
		if f.tag >= 0 {
			cond = e.present(f)
		}
		e.guarded(cond, func() { e.jsonField(f) })
	}
	e.f("return endJSON(b)\n}\n\n")
}

func (e *emitter) jsonField(f *field) {
	val := "x." + goName(f.name)
	e.f("b = append(b, `%q:`...)\n", jsonName(f.name))
	nullable := !f.nullable.empty() && (f.tag < 0 || f.deflt != "null") // else null is not printed at all
	if nullable {
		e.f("if %s == nil {\nb = append(b, \"null\"...)\n} else {\n", val)
	}
	switch f.typ.kind {
	case kindArray:
		e.f("b = append(b, '[')\nfor i := range %s {\n", val)
		e.jsonValue(*f.typ.elem, val+"[i]")
		e.f("b = append(b, ',')\n}\nb = endArray(b)\n")
	case kindString:
		if !f.nullable.empty() {
			val = "*" + val
		}
		e.jsonValue(f.typ, val)
	default:
		e.jsonValue(f.typ, val)
	}
	if nullable {
		e.f("}\n")
	}
	e.f("b = append(b, ',')\n")
}

func (e *emitter) jsonValue(t fieldType, val string) {
	switch t.kind {
	case kindStruct:
		e.f("b = %s.appendJSON(b, v)\n", val)
	case kindInt8, kindInt16, kindInt32, kindInt64, kindUint16, kindUint32:
		e.f("b = strconv.AppendInt(b, int64(%s), 10)\n", val)
	case kindBool:
		e.f("b = strconv.AppendBool(b, %s)\n", val)
	default:
		e.f("b = json%s(b, %s)\n", primitives[t.name].call, val)
	}
}
