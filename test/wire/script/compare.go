package script

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Difference is one field in which two nodes disagree, at all versions from
// From to To alike.
type Difference struct {
	API, Case string
	From, To  int16
	// Path is the field, or "" when the outcome as a whole differs.
	Path string
	// A and B are the two values; "" for a field at its default.
	A, B string
	// Listed says that docs/deviations.md has it.
	Listed bool
}

// String gives one line of a report.
func (d Difference) String() string {
	mark := "differs "
	if d.Listed {
		mark = "deviates"
	}
	return fmt.Sprintf("%s %s v%d-v%d %q %s\n    a: %s\n    b: %s", mark, d.API, d.From, d.To, d.Case, d.Path, d.A, d.B)
}

// Result is the outcome of a comparison.
type Result struct {
	Differences []Difference
	// Equal, Deviating and Total count requests, not fields.
	Equal, Deviating, Total int
}

// OK says that nothing differs but listed deviations.
func (r Result) OK() bool { return r.Equal+r.Deviating == r.Total }

// Write prints every difference and the final count.
func (r Result) Write(w io.Writer) {
	for _, d := range r.Differences {
		fmt.Fprintln(w, d)
	}
	fmt.Fprintf(w, "equal %d of %d", r.Equal, r.Total)
	if r.Deviating > 0 {
		fmt.Fprintf(w, ", %d with listed deviations only", r.Deviating)
	}
	fmt.Fprintln(w)
}

type entryKey struct {
	api, name string
	version   int16
}

// Compare puts b beside a. Entries of b without a counterpart in a count too.
func Compare(a, b Transcript, listed Deviations) Result {
	inB := map[entryKey][]string{}
	for _, e := range b {
		inB[entryKey{e.API, e.Case, e.Version}] = e.Lines
	}
	inA := map[entryKey]bool{}
	var res Result
	open := map[string]int{} // difference without versions -> index in res
	add := func(e Entry, la, lb []string) {
		res.Total++
		ds := diff(la, lb)
		all := true
		for _, d := range ds {
			d.API, d.Case, d.From, d.To = e.API, e.Case, e.Version, e.Version
			d.Listed = listed.has(d)
			all = all && d.Listed
			k := strings.Join([]string{d.API, d.Case, d.Path, d.A, d.B}, "\x00")
			if i, ok := open[k]; ok && res.Differences[i].To == e.Version-1 {
				res.Differences[i].To = e.Version
				continue
			}
			open[k] = len(res.Differences)
			res.Differences = append(res.Differences, d)
		}
		switch {
		case len(ds) == 0:
			res.Equal++
		case all:
			res.Deviating++
		}
	}
	for _, e := range a {
		k := entryKey{e.API, e.Case, e.Version}
		inA[k] = true
		lb, ok := inB[k]
		if !ok {
			lb = []string{"not played"}
		}
		add(e, e.Lines, lb)
	}
	for _, e := range b {
		if !inA[entryKey{e.API, e.Case, e.Version}] {
			add(e, []string{"not played"}, e.Lines)
		}
	}
	return res
}

// diff compares two outcomes line by line, matching by path.
func diff(a, b []string) []Difference {
	pa, pb := byPath(a), byPath(b)
	if whole(a) || whole(b) {
		if strings.Join(a, "\n") == strings.Join(b, "\n") {
			return nil
		}
		return []Difference{{A: brief(a), B: brief(b)}}
	}
	var out []Difference
	for _, l := range expand(a) {
		p, v, _ := strings.Cut(l, ": ")
		if w := pb[p]; w != v {
			out = append(out, Difference{Path: p, A: v, B: w})
		}
	}
	for _, l := range expand(b) {
		p, v, _ := strings.Cut(l, ": ")
		if _, ok := pa[p]; !ok {
			out = append(out, Difference{Path: p, B: v})
		}
	}
	return out
}

// whole says that an outcome is a word and not an answer.
func whole(lines []string) bool { return len(lines) == 1 && !strings.Contains(lines[0], ": ") }

// brief shortens an outcome to its first lines.
func brief(lines []string) string {
	const most = 6
	if len(lines) > most {
		return strings.Join(lines[:most], "; ") + fmt.Sprintf("; … %d more", len(lines)-most)
	}
	return strings.Join(lines, "; ")
}

func byPath(lines []string) map[string]string {
	out := make(map[string]string, len(lines))
	for _, l := range expand(lines) {
		p, v, _ := strings.Cut(l, ": ")
		out[p] = v
	}
	return out
}

// expand writes each field of a flat element, "path: {F=v G=w}", on a line of
// its own.
func expand(lines []string) []string {
	var out []string
	for _, l := range lines {
		p, v, _ := strings.Cut(l, ": ")
		if len(v) < 2 || v[0] != '{' {
			out = append(out, l)
			continue
		}
		out = append(out, p+": {}")
		for _, f := range fields(v[1 : len(v)-1]) {
			name, value, _ := strings.Cut(f, "=")
			out = append(out, p+"."+name+": "+value)
		}
	}
	return out
}

// fields splits at spaces outside quoted text.
func fields(s string) []string {
	var out []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ' ' && !quoted:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}

// Deviations are the differences that are accepted, as patterns over
// "api/case/path" with * for any text and {a,b} for one of several.
type Deviations []*regexp.Regexp

// ParseDeviations reads the table of docs/deviations.md: each row whose first
// cell is a code span starting with "wire " lists one pattern.
func ParseDeviations(markdown string) (Deviations, error) {
	var out Deviations
	for n, line := range strings.Split(markdown, "\n") {
		cell, ok := strings.CutPrefix(strings.TrimSpace(line), "| `wire ")
		if !ok {
			continue
		}
		pattern, _, ok := strings.Cut(cell, "`")
		if !ok || strings.Count(pattern, "/") < 2 {
			return nil, fmt.Errorf("line %d: want `wire api/case/path`", n+1)
		}
		re, err := regexp.Compile(expression(pattern))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		out = append(out, re)
	}
	return out, nil
}

// expression turns a pattern into a regular expression.
func expression(pattern string) string {
	var b strings.Builder
	b.WriteByte('^')
	inside := false
	for _, c := range pattern {
		switch {
		case c == '*':
			b.WriteString(".*")
		case c == '{':
			inside = true
			b.WriteString("(?:")
		case c == '}':
			inside = false
			b.WriteByte(')')
		case c == ',' && inside:
			b.WriteByte('|')
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String() + "$"
}

func (v Deviations) has(d Difference) bool {
	s := d.API + "/" + d.Case + "/" + d.Path
	for _, re := range v {
		if re.MatchString(s) {
			return true
		}
	}
	return false
}
