package main

import (
	"fmt"
	"strconv"
	"strings"
)

// maxTag is the highest tag that a definition may use.
const maxTag = 127

// parser reads the definitions of one file, line by line.
type parser struct {
	path  string
	lines []string
	at    int      // the next line
	doc   []string // comment lines that wait for what they describe
	cur   *message
}

// parseFile returns the definitions in text. Errors name the line.
func parseFile(path, text string) ([]*message, error) {
	p := &parser{path: path, lines: strings.Split(text, "\n")}
	var out []*message
	for p.skipBlank() {
		head := p.lines[p.at]
		if indent(head) != 0 {
			return nil, p.errorf("a definition starts at the margin")
		}
		m, err := p.message(head)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// skipBlank moves to the next line that says something and collects doc comments; false at the end.
func (p *parser) skipBlank() bool {
	for ; p.at < len(p.lines); p.at++ {
		line := strings.TrimSpace(p.lines[p.at])
		switch {
		case line == "":
			p.doc = nil
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "//"):
			p.doc = append(p.doc, strings.TrimSpace(line[2:]))
		default:
			return true
		}
	}
	return false
}

func (p *parser) takeDoc() []string {
	d := p.doc
	p.doc = nil
	return d
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", p.path, p.at+1, fmt.Sprintf(format, args...))
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// message reads "record Name, kind key 3, versions 0-2, flexible 1+" and what is indented under it.
func (p *parser) message(head string) (*message, error) {
	parts := strings.Split(head, ",")
	word, name, _ := strings.Cut(parts[0], " ")
	if word != "record" && word != "request" || name == "" {
		return nil, p.errorf("want \"record Name, …\" or \"request Name, …\"")
	}
	m := &message{kind: word, key: -1, flexible: noVersions, in: noVersions, path: p.path}
	m.name, m.doc = name, p.takeDoc()
	for _, part := range parts[1:] {
		if err := p.clause(m, strings.Fields(part)); err != nil {
			return nil, err
		}
	}
	if m.in.empty() {
		return nil, p.errorf("%s has no versions", m.name)
	}
	p.cur = m
	p.at++
	var err error
	if m.fields, err = p.fields(0); err != nil {
		return nil, err
	}
	for p.skipBlank() && indent(p.lines[p.at]) == 0 && strings.HasPrefix(p.lines[p.at], "struct ") {
		s := &structure{name: strings.TrimSpace(p.lines[p.at][len("struct "):]), doc: p.takeDoc()}
		p.at++
		if s.fields, err = p.fields(0); err != nil {
			return nil, err
		}
		m.shared = append(m.shared, s)
	}
	for _, s := range append([]*structure{&m.structure}, m.shared...) {
		if err := m.resolve(s); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// clause reads one part of a message's head.
func (p *parser) clause(m *message, words []string) error {
	var err error
	switch {
	case len(words) == 2 && words[0] == "versions":
		m.in, err = parseVersions(words[1])
	case len(words) == 2 && words[0] == "flexible":
		m.flexible, err = parseVersions(words[1])
	case len(words) == 2 && words[0] == "key" && m.kind == "request":
		m.key, err = strconv.Atoi(words[1])
	case len(words) == 3 && (words[1] == "key" || words[1] == "value"):
		m.kind, m.value = words[0], words[1] == "value"
		m.key, err = strconv.Atoi(words[2])
	case len(words) == 1:
		m.kind = words[0]
	default:
		return p.errorf("cannot read %q", strings.Join(words, " "))
	}
	if err != nil {
		return p.errorf("%v", err)
	}
	return nil
}

// fields reads the lines that are indented deeper than outer, and what is nested in them.
func (p *parser) fields(outer int) ([]*field, error) {
	var out []*field
	depth := -1
	for p.skipBlank() {
		n := indent(p.lines[p.at])
		if n <= outer {
			break
		}
		if depth < 0 {
			depth = n
		}
		if n != depth {
			return nil, p.errorf("indented by %d, its neighbours by %d", n, depth)
		}
		f, err := p.field(strings.TrimSpace(p.lines[p.at]))
		if err != nil {
			return nil, err
		}
		p.at++
		nested, err := p.fields(n)
		if err != nil {
			return nil, err
		}
		if nested != nil {
			s := f.structType()
			if s == nil {
				return nil, p.errorf("%s has fields but is no struct", f.name)
			}
			s.body = &structure{name: s.name, fields: nested, doc: []string{s.name + " is an element of " + f.name + "."}}
			if s == &f.typ {
				s.body.doc = []string{s.name + " is the type of " + f.name + "."}
			}
		}
		out = append(out, f)
	}
	return out, nil
}

// structType returns the struct that f holds or is an array of, or nil.
func (f *field) structType() *fieldType {
	t := &f.typ
	if t.kind == kindArray {
		t = t.elem
	}
	if t.kind != kindStruct {
		return nil
	}
	return t
}

// field reads "Name: type, 1+, nullable 2+, tag 0, default null".
func (p *parser) field(line string) (*field, error) {
	name, rest, ok := strings.Cut(line, ":")
	if !ok || name == "" || strings.Contains(name, " ") {
		return nil, p.errorf("want \"Name: type, …\"")
	}
	parts := strings.Split(rest, ",")
	f := &field{name: name, doc: p.takeDoc(), in: allVersions, nullable: noVersions, tag: -1}
	f.note = fmt.Sprintf("%s:%d", p.path, p.at+1)
	f.typ = parseType(strings.TrimSpace(parts[0]))
	for _, part := range parts[1:] {
		if err := f.clause(strings.Fields(part)); err != nil {
			return nil, p.errorf("%s: %v", name, err)
		}
	}
	f.nullable = f.nullable.and(f.in)
	return f, nil
}

// clause reads one part of a field's line.
func (f *field) clause(words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("an empty clause")
	}
	rng, err := allVersions, error(nil)
	switch {
	case words[0] == "nullable" && len(words) <= 2:
		if len(words) == 2 {
			rng, err = parseVersions(words[1])
		}
		f.nullable = rng
	case words[0] == "tag" && len(words) == 2:
		f.tag, err = strconv.Atoi(words[1])
	case words[0] == "default" && len(words) == 2:
		f.deflt = words[1]
	case len(words) == 1:
		f.in, err = parseVersions(words[0])
	default:
		return fmt.Errorf("cannot read %q", strings.Join(words, " "))
	}
	return err
}

func parseType(s string) fieldType {
	if elem, ok := strings.CutPrefix(s, "[]"); ok {
		t := parseType(elem)
		return fieldType{kind: kindArray, elem: &t}
	}
	if p, ok := primitives[s]; ok {
		return fieldType{kind: p.kind, name: s}
	}
	return fieldType{kind: kindStruct, name: s}
}

// resolve binds the struct names in s to the message's shared structs and checks what a line alone cannot show.
func (m *message) resolve(s *structure) error {
	for _, f := range s.fields {
		if f.tag >= 0 && !m.flexible.covers(f.in.and(m.in)) {
			return fmt.Errorf("%s: %s is tagged in a version that has no tags", f.note, f.name)
		}
		if f.tag > maxTag {
			return fmt.Errorf("%s: tag %d is above %d", f.note, f.tag, maxTag)
		}
		if f.deflt == "null" && f.nullable.empty() {
			return fmt.Errorf("%s: %s is null by default but not nullable", f.note, f.name)
		}
		t := f.structType()
		if t == nil {
			continue
		}
		if m.kind != "request" && t == &f.typ && (f.tag >= 0 || !f.nullable.empty()) && (!f.nullable.covers(f.in.and(m.in)) || f.deflt != "") {
			return fmt.Errorf("%s: a struct that may be absent must be nullable in all its versions, and have no default", f.note)
		}
		if t.body != nil {
			if err := m.resolve(t.body); err != nil {
				return err
			}
			continue
		}
		for _, shared := range m.shared {
			if shared.name == t.name {
				t.body = shared
			}
		}
		if t.body == nil {
			return fmt.Errorf("%s: %s is neither a type nor a struct of %s", f.note, t.name, m.name)
		}
	}
	return nil
}
