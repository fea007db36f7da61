package jopt

import (
	"fmt"
	"strconv"
	"strings"
)

// Error is a command line that does not parse. Its text is that of jopt-simple, because some tools print it on stdout.
type Error string

// Error returns the text.
func (e Error) Error() string { return string(e) }

// takes says whether an option has an argument.
type takes int8

const (
	nothing takes = iota
	argument
	maybe
)

// Option is one option of a [Parser].
type Option struct {
	names       []string
	about       string
	takes       takes
	placeholder string
	separator   string
	required    bool
	forHelp     bool
	fallback    *string
	hidden      bool
}

// String is how messages name the option: its names in brackets.
func (o *Option) String() string { return "[" + strings.Join(o.names, ", ") + "]" }

// Arg makes the option need an argument, which the help calls placeholder.
func (o *Option) Arg(placeholder string) *Option {
	o.takes, o.placeholder = argument, placeholder
	return o
}

// MaybeArg lets the option have an argument: the word after it, unless that looks like an option.
func (o *Option) MaybeArg(placeholder string) *Option {
	o.takes, o.placeholder = maybe, placeholder
	return o
}

// SeparatedBy makes one argument stand for several, with sep between them.
func (o *Option) SeparatedBy(sep string) *Option {
	o.separator = sep
	return o
}

// Default is the argument that counts when none is given.
func (o *Option) Default(value string) *Option {
	o.fallback = &value
	return o
}

// Required makes the parser refuse a command line without the option, unless it asks for help.
func (o *Option) Required() *Option {
	o.required = true
	return o
}

// ForHelp makes the option one with which nothing else is required.
func (o *Option) ForHelp() *Option {
	o.forHelp = true
	return o
}

// Hidden keeps the option out of the help.
func (o *Option) Hidden() *Option {
	o.hidden = true
	return o
}

// Parser knows the options of one tool.
type Parser struct {
	options []*Option
	byName  map[string]*Option
}

// NewParser returns a parser without options.
func NewParser() *Parser { return &Parser{byName: map[string]*Option{}} }

// Accepts adds an option without argument. about is its line in the help.
func (p *Parser) Accepts(name, about string) *Option {
	return p.AcceptsAll([]string{name}, about)
}

// AcceptsAll is Accepts for an option with several names.
func (p *Parser) AcceptsAll(names []string, about string) *Option {
	o := &Option{names: names, about: about}
	p.options = append(p.options, o)
	for _, n := range names {
		p.byName[n] = o
	}
	return o
}

// Parse reads a command line.
func (p *Parser) Parse(args []string) (*Set, error) {
	s := &Set{parser: p, seen: map[*Option]bool{}, values: map[*Option][]string{}}
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		var err error
		switch {
		case word == "--":
			s.Rest = append(s.Rest, args...)
			args = nil
		case strings.HasPrefix(word, "--"):
			name, value, given := strings.Cut(word[2:], "=")
			o, known := p.byName[name]
			if !known {
				return nil, unknown(name)
			}
			args, err = s.take(o, value, given, args)
		case len(word) > 1 && word[0] == '-':
			args, err = p.short(s, word[1:], args)
		default:
			s.Rest = append(s.Rest, word)
		}
		if err != nil {
			return nil, err
		}
	}
	return s, p.missing(s)
}

func unknown(name string) Error { return Error(name + " is not a recognized option") }

// short reads a word with one dash: a long name, or letters of which each is an option.
func (p *Parser) short(s *Set, word string, args []string) ([]string, error) {
	name, value, given := strings.Cut(word, "=")
	if o, known := p.byName[name]; known {
		return s.take(o, value, given, args)
	}
	for i := range len(word) {
		o, known := p.byName[word[i:i+1]]
		if !known {
			return nil, unknown(word[i : i+1])
		}
		if o.takes != nothing {
			return s.take(o, word[i+1:], i+1 < len(word), args)
		}
		s.mark(o)
	}
	return args, nil
}

func (p *Parser) missing(s *Set) error {
	var names []string
	for _, o := range p.options {
		if o.forHelp && s.seen[o] {
			return nil
		}
		if o.required && !s.seen[o] {
			names = append(names, o.String())
		}
	}
	if names == nil {
		return nil
	}
	return Error("Missing required option(s) " + strings.Join(names, ", "))
}

// Set is what a command line said.
type Set struct {
	parser *Parser
	seen   map[*Option]bool
	values map[*Option][]string

	// Given are the options in the order of the command line, repeated ones too.
	Given []*Option
	// Rest are the words that belong to no option.
	Rest []string
}

func (s *Set) mark(o *Option) {
	s.seen[o] = true
	s.Given = append(s.Given, o)
}

func (s *Set) take(o *Option, value string, given bool, args []string) ([]string, error) {
	s.mark(o)
	switch {
	case o.takes == nothing:
		return args, nil
	case given:
	case o.takes == argument && len(args) == 0:
		return nil, Error(fmt.Sprintf("Option %s requires an argument", strings.Join(o.names, "/")))
	case o.takes == maybe && (len(args) == 0 || len(args[0]) > 1 && isOption(args[0])):
		return args, nil
	default:
		value, args = args[0], args[1:]
	}
	if o.separator == "" {
		s.values[o] = append(s.values[o], value)
	} else {
		s.values[o] = append(s.values[o], strings.Split(value, o.separator)...)
	}
	return args, nil
}

// Has reports whether the option was given.
func (s *Set) Has(o *Option) bool { return s.seen[o] }

// HasArg reports whether the option was given with an argument.
func (s *Set) HasArg(o *Option) bool { return len(s.values[o]) > 0 }

// Values are all arguments of the option, else its default, else nothing.
func (s *Set) Values(o *Option) []string {
	if v := s.values[o]; len(v) > 0 || o.fallback == nil {
		return v
	}
	return []string{*o.fallback}
}

// Value is the argument of an option that may be given once; "" when there is none.
func (s *Set) Value(o *Option) (string, error) {
	switch v := s.Values(o); len(v) {
	case 0:
		return "", nil
	case 1:
		return v[0], nil
	default:
		return "", Error(fmt.Sprintf("Found multiple arguments for option %s, but you asked for only one", strings.Join(o.names, "/")))
	}
}

// Int is Value for a whole number that fits bits; 0 when there is none.
func (s *Set) Int(o *Option, bits int) (int64, error) {
	v, err := s.Value(o)
	if err != nil || v == "" && !s.HasArg(o) {
		return 0, err
	}
	n, err := strconv.ParseInt(v, 10, bits)
	if err != nil {
		return 0, Error(fmt.Sprintf("Cannot parse argument '%s' of option %s", v, strings.Join(o.names, "/")))
	}
	return n, nil
}

// Count is how many of the options were given.
func (s *Set) Count(options ...*Option) int {
	n := 0
	for _, o := range options {
		if s.seen[o] {
			n++
		}
	}
	return n
}
