package jopt

import (
	"fmt"
	"strings"
)

// CheckRequired wants each of the options.
func (s *Set) CheckRequired(options ...*Option) error {
	for _, o := range options {
		if !s.Has(o) {
			return Error(fmt.Sprintf("Missing required argument %q", o.String()))
		}
	}
	return nil
}

// CheckOneOf wants exactly one of the options.
func (s *Set) CheckOneOf(options ...*Option) error {
	if s.Count(options...) == 1 {
		return nil
	}
	return Error("Exactly one of the following arguments is required: " + join(options))
}

// CheckInvalid refuses used together with any of the others.
func (s *Set) CheckInvalid(used *Option, others ...*Option) error {
	if !s.Has(used) {
		return nil
	}
	for _, o := range others {
		if o != used && s.Has(o) {
			return Error(fmt.Sprintf("Option %q can't be used with option %q", used.String(), o.String()))
		}
	}
	return nil
}

// CheckInvalidSet refuses any of the others when all of used are given; note ends the message.
func (s *Set) CheckInvalidSet(used, others []*Option, note string) error {
	if s.Count(used...) < len(used) {
		return nil
	}
	for _, o := range others {
		if s.Has(o) {
			return Error(fmt.Sprintf("Option combination %q can't be used with option %q%s", join(used), o.String(), note))
		}
	}
	return nil
}

func join(options []*Option) string {
	names := make([]string, len(options))
	for i, o := range options {
		names[i] = o.String()
	}
	return strings.Join(names, ", ")
}
