package inspect

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fields is one thing to print: its kind and its fields in order.
type fields struct {
	kind string
	list []field
}

type field struct {
	name string
	json []byte // the value
	// bare is the value as text shows it, where that is not as JSON has it.
	bare string
}

func entry(kind string) *fields { return &fields{kind: kind} }

func (e *fields) int(name string, n int64) *fields {
	s := strconv.FormatInt(n, 10)
	return e.raw(name, []byte(s))
}

func (e *fields) bool(name string, b bool) *fields {
	return e.raw(name, strconv.AppendBool(nil, b))
}

// raw adds a value that is JSON already.
func (e *fields) raw(name string, value []byte) *fields {
	e.list = append(e.list, field{name: name, json: value})
	return e
}

// str adds a word or a text.
func (e *fields) str(name, s string) *fields {
	f := field{name: name, json: quote(s)}
	if s != "" && strings.IndexFunc(s, needsQuotes) < 0 {
		f.bare = s
	}
	e.list = append(e.list, f)
	return e
}

func needsQuotes(r rune) bool {
	return r == '"' || r == '=' || unicode.IsSpace(r) || !unicode.IsPrint(r)
}

// bytes adds bytes: null, text where they are UTF-8, else base64 and a second field that says so.
func (e *fields) bytes(name string, b []byte) *fields {
	switch {
	case b == nil:
		return e.raw(name, []byte("null"))
	case utf8.Valid(b):
		return e.raw(name, quote(string(b)))
	}
	e.raw(name, quote(base64.StdEncoding.EncodeToString(b)))
	return e.str(name+"Encoding", "base64")
}

func quote(s string) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return []byte(`""`) // a string always encodes
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}

// indents are how far the text of a kind stands from the left.
var indents = map[string]string{"batch": "", "record": "  ", "control": "  ", "header": "    ", "damage": "! "}

// printer writes entries, as text or as JSON lines, and keeps the first error.
type printer struct {
	w    io.Writer
	json bool
	err  error
	buf  []byte
}

// put writes an entry, unless writing one has failed before: then err says so.
func (p *printer) put(e *fields) {
	if p.err != nil {
		return
	}
	if p.json {
		p.buf = e.appendJSON(p.buf[:0])
	} else {
		p.buf = e.appendText(p.buf[:0])
	}
	_, p.err = p.w.Write(p.buf)
}

func (e *fields) appendJSON(b []byte) []byte {
	b = append(append(b, `{"kind":`...), quote(e.kind)...)
	for _, f := range e.list {
		b = append(append(b, ','), quote(f.name)...)
		b = append(append(b, ':'), f.json...)
	}
	return append(b, "}\n"...)
}

func (e *fields) appendText(b []byte) []byte {
	b = append(append(b, indents[e.kind]...), e.kind...)
	for _, f := range e.list {
		b = append(append(append(b, ' '), f.name...), '=')
		if f.bare != "" {
			b = append(b, f.bare...)
		} else {
			b = append(b, f.json...)
		}
	}
	return append(b, '\n')
}
