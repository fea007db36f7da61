package jopt

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	leftWidth = 38 // columns of the help's left side
	helpWidth = 100
)

// Help is the table of the options, sorted by name as jopt-simple has it.
func (p *Parser) Help() string {
	sorted := slices.Clone(p.options)
	slices.SortStableFunc(sorted, func(a, b *Option) int { return cmp.Compare(a.names[0], b.names[0]) })
	var out strings.Builder
	row(&out, "Option", "Description")
	row(&out, "------", "-----------")
	for _, o := range sorted {
		if !o.hidden {
			row(&out, o.usage(), o.describe())
		}
	}
	return out.String()
}

func (o *Option) usage() string {
	names := make([]string, len(o.names))
	for i, n := range o.names {
		names[i] = "-" + n
		if len(n) > 1 {
			names[i] = "--" + n
		}
	}
	left := strings.Join(names, ", ")
	switch o.takes {
	case argument:
		left += " <" + o.placeholder + ">"
	case maybe:
		left += " [" + o.placeholder + "]"
	}
	return left
}

func (o *Option) describe() string {
	s := o.about
	if o.required {
		s = "REQUIRED: " + s
	}
	if o.fallback != nil && *o.fallback != "" {
		s += fmt.Sprintf(" (default: %s)", *o.fallback)
	}
	return s
}

// row writes one option: its usage, and beside or below it what it does, wrapped.
func row(out *strings.Builder, left, right string) {
	lines := wrap(right, helpWidth-leftWidth-1)
	if len(left) > leftWidth {
		fmt.Fprintln(out, left)
		left = ""
	}
	for i, l := range lines {
		if i > 0 {
			left = ""
		}
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("%-*s %s", leftWidth, left, l), " "))
	}
}

func wrap(s string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(s) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len(*last)+1+len(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
