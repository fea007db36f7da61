package jopt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Arg is one option of a [Command].
type Arg struct {
	names    []string
	about    string
	flag     bool
	required bool
	many     bool
	integer  bool
	version  bool
	choices  []string
	fallback string
}

// Name is what messages call the option: all its names.
func (a *Arg) Name() string { return strings.Join(a.names, "/") }

// Required makes the command refuse a command line without the option.
func (a *Arg) Required() *Arg {
	a.required = true
	return a
}

// Many makes the option take all words up to the next option, one at least.
func (a *Arg) Many() *Arg {
	a.many = true
	return a
}

// Int makes the argument a whole number of 32 bits.
func (a *Arg) Int() *Arg {
	a.integer = true
	return a
}

// Choices are the only arguments that the option takes.
func (a *Arg) Choices(choices ...string) *Arg {
	a.choices = choices
	return a
}

// Default is the argument that counts when the option is not given.
func (a *Arg) Default(value string) *Arg {
	a.fallback = value
	return a
}

// Version makes the option end the parsing with [VersionAsked].
func (a *Arg) Version() *Arg {
	a.version = true
	return a
}

// Command knows the options and sub-commands of one tool.
type Command struct {
	name, about string
	args        []*Arg
	subs        []*Command
	exclusive   []exclusive
}

// exclusive are options of which one may be given, or must.
type exclusive struct {
	args []*Arg
	must bool
}

// NewCommand returns a command without options.
func NewCommand(name, about string) *Command { return &Command{name: name, about: about} }

// Option adds an option with an argument, which may be given several times. names begin with their dashes.
func (c *Command) Option(about string, names ...string) *Arg {
	a := &Arg{names: names, about: about}
	c.args = append(c.args, a)
	return a
}

// Flag adds an option without argument.
func (c *Command) Flag(about string, names ...string) *Arg {
	a := c.Option(about, names...)
	a.flag = true
	return a
}

// Exclusive refuses more than one of the options; when must is set, also none of them.
func (c *Command) Exclusive(must bool, args ...*Arg) {
	c.exclusive = append(c.exclusive, exclusive{args, must})
}

// Sub adds a sub-command. A command that has one needs one.
func (c *Command) Sub(name, about string) *Command {
	sub := NewCommand(name, about)
	c.subs = append(c.subs, sub)
	return sub
}

// HelpAsked ends the parsing of a command line that asks for help; it is the text.
type HelpAsked string

// Error says what was asked.
func (HelpAsked) Error() string { return "help was asked for" }

// VersionAsked ends the parsing of a command line that asks for the version.
type VersionAsked struct{}

// Error says what was asked.
func (VersionAsked) Error() string { return "the version was asked for" }

// UsageError is a command line that a command does not take.
type UsageError struct {
	// Usage shows how the command is used, and ends with a newline.
	Usage string
	// Program is the name of the tool.
	Program string
	// Message says what is wrong.
	Message string
}

// Error is the message.
func (e *UsageError) Error() string { return e.Message }

// Found is what a command line said.
type Found struct {
	// Sub is the sub-command, "" when the command has none.
	Sub    string
	values map[*Arg][]string
}

// Has reports whether the option was given.
func (f *Found) Has(a *Arg) bool {
	_, ok := f.values[a]
	return ok
}

// Value is the last argument given, else the default.
func (f *Found) Value(a *Arg) string {
	if v := f.values[a]; len(v) > 0 {
		return v[len(v)-1]
	}
	return a.fallback
}

// Values are all arguments given.
func (f *Found) Values(a *Arg) []string { return f.values[a] }

// Int is Value of an option made by [Arg.Int], 0 when it was not given.
func (f *Found) Int(a *Arg) int32 {
	n, _ := strconv.ParseInt(f.Value(a), 10, 32) // it was checked
	return int32(n)
}

// Parse reads a command line. The error is a [HelpAsked], a [VersionAsked] or a [*UsageError].
func (c *Command) Parse(args []string) (*Found, error) {
	f := &Found{values: map[*Arg][]string{}}
	return f, c.parse(f, c.name, args)
}

func (c *Command) parse(f *Found, path string, args []string) error {
	wrong := func(format string, args ...any) error {
		return &UsageError{Usage: c.usage(path), Program: path, Message: fmt.Sprintf(format, args...)}
	}
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		if !strings.HasPrefix(word, "-") || word == "-" {
			i := slices.IndexFunc(c.subs, func(s *Command) bool { return s.name == word })
			switch {
			case i >= 0:
				if err := c.check(f, wrong); err != nil {
					return err
				}
				f.Sub = word
				return c.subs[i].parse(f, path+" "+word, args)
			case c.subs != nil:
				return wrong("invalid choice: '%s' (choose from %s)", word, quoted(c.subNames()))
			}
			return wrong("unrecognized arguments: '%s'", word)
		}
		name, value, given := strings.Cut(word, "=")
		if name == "-h" || name == "--help" {
			return HelpAsked(c.help(path))
		}
		a, err := c.find(name, wrong)
		if err != nil {
			return err
		}
		if args, err = f.take(a, value, given, args, wrong); err != nil {
			return err
		}
	}
	if c.subs != nil {
		return wrong("too few arguments")
	}
	return c.check(f, wrong)
}

// find returns the option of that name, or the only one whose long name begins like that.
func (c *Command) find(name string, wrong func(string, ...any) error) (*Arg, error) {
	var like []*Arg
	var names []string
	for _, a := range c.args {
		for _, n := range a.names {
			if n == name {
				return a, nil
			}
			if strings.HasPrefix(name, "--") && strings.HasPrefix(n, name) {
				like, names = append(like, a), append(names, n)
			}
		}
	}
	switch len(like) {
	case 0:
		return nil, wrong("unrecognized arguments: '%s'", name)
	case 1:
		return like[0], nil
	}
	return nil, wrong("ambiguous option: %s could match %s", name, strings.Join(names, ", "))
}

func (f *Found) take(a *Arg, value string, given bool, args []string, wrong func(string, ...any) error) ([]string, error) {
	if a.version {
		return nil, VersionAsked{}
	}
	if a.flag {
		if given {
			return nil, wrong("argument %s: ignored explicit argument '%s'", a.Name(), value)
		}
		f.values[a] = nil
		return args, nil
	}
	values := []string{value}
	if !given {
		n := 0
		for n < len(args) && !isOption(args[n]) && (n == 0 || a.many) {
			n++
		}
		if n == 0 {
			return nil, wrong("argument %s: expected one argument", a.Name())
		}
		values, args = args[:n:n], args[n:]
	}
	for _, v := range values {
		if _, err := strconv.ParseInt(v, 10, 32); a.integer && err != nil {
			return nil, wrong("argument %s: could not convert '%s' to Integer (32 bits)", a.Name(), v)
		}
		if a.choices != nil && !slices.Contains(a.choices, v) {
			return nil, wrong("argument %s: invalid choice: '%s' (choose from %s)", a.Name(), v, quoted(a.choices))
		}
	}
	f.values[a] = append(f.values[a], values...)
	return args, nil
}

// isOption tells an option from an argument; a negative number is an argument.
func isOption(word string) bool {
	if len(word) < 2 || word[0] != '-' {
		return false
	}
	_, err := strconv.ParseFloat(word, 64)
	return err != nil
}

func (c *Command) check(f *Found, wrong func(string, ...any) error) error {
	for _, a := range c.args {
		if a.required && !f.Has(a) {
			return wrong("argument %s is required", a.Name())
		}
	}
	for _, x := range c.exclusive {
		var names, given []string
		for _, a := range x.args {
			names = append(names, a.Name())
			if f.Has(a) {
				given = append(given, a.Name())
			}
		}
		switch {
		case len(given) > 1:
			return wrong("argument %s: not allowed with argument %s", given[1], given[0])
		case x.must && len(given) == 0:
			return wrong("one of the arguments %s is required", strings.Join(names, " "))
		}
	}
	return nil
}

func (c *Command) subNames() []string {
	names := make([]string, len(c.subs))
	for i, s := range c.subs {
		names[i] = s.name
	}
	return names
}

func quoted(names []string) string { return "'" + strings.Join(names, "', '") + "'" }

func (c *Command) usage(path string) string {
	var s strings.Builder
	s.WriteString("usage: " + path + " [-h]")
	for _, a := range c.args {
		word := a.left()
		if !a.required {
			word = "[" + word + "]"
		}
		s.WriteString(" " + word)
	}
	if c.subs != nil {
		s.WriteString(" {" + strings.Join(c.subNames(), ",") + "} ...")
	}
	return s.String() + "\n"
}

func (a *Arg) left() string {
	if a.flag || a.version {
		return a.names[0]
	}
	return a.names[0] + " " + a.placeholder()
}

func (c *Command) help(path string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s\n%s\n\n", c.usage(path), c.about)
	for _, sub := range c.subs {
		row(&s, "  "+sub.name, sub.about)
	}
	row(&s, "  -h, --help", "show this help message and exit")
	for _, a := range c.args {
		left := "  " + strings.Join(a.names, ", ")
		if !a.flag && !a.version {
			left += " " + a.placeholder()
		}
		row(&s, left, a.about)
	}
	return s.String()
}

// placeholder is made of the first long name, as argparse4j does.
func (a *Arg) placeholder() string {
	long := a.names[max(0, slices.IndexFunc(a.names, func(n string) bool { return strings.HasPrefix(n, "--") }))]
	return strings.ToUpper(strings.ReplaceAll(strings.TrimLeft(long, "-"), "-", "_"))
}
