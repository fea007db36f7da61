package records

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
)

// sieve holds the flags that say which records are searched for: those that pass all of the tests.
type sieve struct {
	any, key, value string
	headers         []string
	tombstones      bool
	fixed, fold     bool
	invert          bool

	tests []func(*kgo.Record) bool
}

func (v *sieve) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&v.any, "match", "m", "", "`PATTERN` in the key, the value or the value of a header")
	f.StringVarP(&v.key, "key", "k", "", "`PATTERN` in the key")
	f.StringVarP(&v.value, "value", "v", "", "`PATTERN` in the value")
	f.StringArrayVarP(&v.headers, "header", "H", nil, "a header of this name, `NAME[=PATTERN]`, with the pattern in its value (may be repeated)")
	f.BoolVar(&v.tombstones, "tombstones", false, "a value that is null")
	f.BoolVarP(&v.fixed, "fixed", "F", false, `a PATTERN is text, byte for byte (\xNN, \t, \n are understood), and no regular expression`)
	f.BoolVarP(&v.fold, "ignore-case", "i", false, "take upper and lower case for the same")
	f.BoolVar(&v.invert, "invert", false, "the records that do not fit")
}

// compile makes the tests of the flags.
func (v *sieve) compile() error {
	if v.fixed && v.fold {
		return command.Usagef("--fixed compares bytes, which have no case: it excludes --ignore-case")
	}
	var err error
	find := func(flag, pattern string) func([]byte) bool {
		has, perr := v.pattern(pattern)
		if perr != nil && err == nil {
			err = command.Usagef("--%s %q: %v", flag, pattern, perr)
		}
		return has
	}
	if v.any != "" {
		has := find("match", v.any)
		v.tests = append(v.tests, func(r *kgo.Record) bool {
			if has(r.Key) || has(r.Value) {
				return true
			}
			for _, h := range r.Headers {
				if has(h.Value) {
					return true
				}
			}
			return false
		})
	}
	if v.key != "" {
		has := find("key", v.key)
		v.tests = append(v.tests, func(r *kgo.Record) bool { return r.Key != nil && has(r.Key) })
	}
	if v.value != "" {
		has := find("value", v.value)
		v.tests = append(v.tests, func(r *kgo.Record) bool { return r.Value != nil && has(r.Value) })
	}
	if v.tombstones {
		v.tests = append(v.tests, func(r *kgo.Record) bool { return r.Value == nil })
	}
	for _, h := range v.headers {
		name, pattern, _ := strings.Cut(h, "=")
		has := find("header", pattern)
		v.tests = append(v.tests, func(r *kgo.Record) bool {
			for _, h := range r.Headers {
				if h.Key == name && has(h.Value) {
					return true
				}
			}
			return false
		})
	}
	if err == nil && len(v.tests) == 0 {
		err = command.Usagef("want something to search for: --match, --key, --value, --header or --tombstones")
	}
	return err
}

// pattern tells whether bytes hold a pattern.
func (v *sieve) pattern(pattern string) (func([]byte) bool, error) {
	if v.fixed {
		text, err := unescape(pattern)
		return func(b []byte) bool { return bytes.Contains(b, text) }, err
	}
	if v.fold {
		pattern = "(?i)" + pattern
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	return re.Match, nil
}

// keep reports whether a record is one of those searched for. It may be called by several goroutines at once.
func (v *sieve) keep(r *kgo.Record) bool {
	for _, test := range v.tests {
		if !test(r) {
			return v.invert
		}
	}
	return !v.invert
}
