package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Property is one setting of a properties file.
type Property struct {
	Key, Value string
	// Line is where the key stands, from 1.
	Line int
}

// ParseProperties reads Java's .properties format: comments (# and !), continuation lines, = or : or blanks as
// separator, escapes. The text is UTF-8. Repeated keys are all returned, in order. An error names file and line.
func ParseProperties(file string, text []byte) ([]Property, error) {
	s := string(text)
	if at := invalidUTF8(s); at >= 0 {
		return nil, fmt.Errorf("%s:%d: not UTF-8 text", file, 1+strings.Count(s[:at], "\n"))
	}
	var props []Property
	r := lineReader{rest: s}
	for {
		logical, line, ok := r.next()
		if !ok {
			return props, nil
		}
		key, value, err := splitProperty(logical)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, line, err)
		}
		if key != "" || value != "" {
			props = append(props, Property{Key: key, Value: value, Line: line})
		}
	}
}

func invalidUTF8(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i, r := range s {
		if _, n := utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && n == 1 {
			return i
		}
	}
	return -1
}

// lineReader cuts logical lines: comments and empty lines are gone, continued lines are joined.
type lineReader struct {
	rest string
	line int // natural lines read so far
}

// natural returns the next natural line without its end; lines end in \n, \r or \r\n.
func (r *lineReader) natural() (string, bool) {
	if r.rest == "" {
		return "", false
	}
	r.line++
	i := strings.IndexAny(r.rest, "\r\n")
	if i < 0 {
		l := r.rest
		r.rest = ""
		return l, true
	}
	l, end := r.rest[:i], 1
	if strings.HasPrefix(r.rest[i:], "\r\n") {
		end = 2
	}
	r.rest = r.rest[i+end:]
	return l, true
}

func (r *lineReader) next() (logical string, line int, ok bool) {
	for {
		l, ok := r.natural()
		if !ok {
			return "", 0, false
		}
		l = strings.TrimLeft(l, propertyBlanks)
		if l == "" || l[0] == '#' || l[0] == '!' {
			continue
		}
		line = r.line
		var joined strings.Builder
		for continues(l) {
			joined.WriteString(l[:len(l)-1])
			if l, ok = r.natural(); !ok {
				break
			}
			l = strings.TrimLeft(l, propertyBlanks)
		}
		joined.WriteString(l)
		return joined.String(), line, true
	}
}

const propertyBlanks = " \t\f"

// continues reports whether a line ends in an odd number of backslashes.
func continues(l string) bool {
	return (len(l)-len(strings.TrimRight(l, `\`)))%2 == 1
}

// splitProperty cuts a logical line at the first separator that no backslash escapes.
func splitProperty(l string) (key, value string, err error) {
	i := 0
	for i < len(l) && !strings.ContainsRune("=:"+propertyBlanks, rune(l[i])) {
		if l[i] == '\\' {
			i++
		}
		i++
	}
	i = min(i, len(l))
	rest := strings.TrimLeft(l[i:], propertyBlanks)
	if rest != "" && (rest[0] == '=' || rest[0] == ':') {
		rest = strings.TrimLeft(rest[1:], propertyBlanks)
	}
	if key, err = unescape(l[:i]); err != nil {
		return "", "", err
	}
	value, err = unescape(rest)
	return key, value, err
}

// unescape resolves \t \n \r \f \uXXXX; a backslash before anything else is dropped.
func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			break
		}
		switch c := s[i]; c {
		case 't', 'n', 'r', 'f':
			b.WriteByte(map[byte]byte{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f'}[c])
		case 'u':
			r, n, err := unicodeEscape(s[i-1:])
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
			i += n - 2
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

// unicodeEscape reads \uXXXX, or two of them that make one character, and says how many bytes it took.
func unicodeEscape(s string) (rune, int, error) {
	hi, err := hex4(s)
	if err != nil {
		return 0, 0, err
	}
	if utf16.IsSurrogate(hi) && len(s) >= 12 && s[6:8] == `\u` {
		if lo, err := hex4(s[6:]); err == nil {
			if r := utf16.DecodeRune(hi, lo); r != utf8.RuneError {
				return r, 12, nil
			}
		}
	}
	return hi, 6, nil // a lone half is written as U+FFFD
}

func hex4(s string) (rune, error) {
	if len(s) >= 6 {
		if n, err := strconv.ParseUint(s[2:6], 16, 16); err == nil {
			return rune(n), nil
		}
	}
	return 0, fmt.Errorf(`malformed \u escape: want four hexadecimal digits`)
}
