package clients

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrLogin is that a login (sasl.jaas.config) can't be read.
var ErrLogin = errors.New("sasl.jaas.config")

// ParseLogin reads sasl.jaas.config as Java's clients have it: one login module, its control flag, and the options whose
// values it returns by name,
//
//	org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password='a b' also=word;
//
// Quotes are double or single, with Java's escapes; the last of two options of a name counts. A word without quotes is of
// letters, digits and the characters - . _ $, and does not begin with a digit, - or . (Java takes that for a number and
// fails): everything else must be in quotes, rather than be cut short. The semicolon may be missing. Errors are ErrLogin.
func ParseLogin(text string) (map[string]string, error) {
	r := &loginReader{rest: text}
	if module := r.next(); !module.isText {
		return nil, r.failed("begins with no login module", module)
	}
	if flag := r.next(); !flag.isText {
		return nil, r.failed("has no control flag behind the login module", flag)
	}
	options := map[string]string{}
	for {
		name := r.next()
		if name.isEnd() {
			return options, r.end(name)
		}
		if !name.isText {
			return nil, r.failed("has something other than a name where an option begins (are quotes missing?)", name)
		}
		if equals := r.next(); equals.isText || equals.text != "=" {
			return nil, r.failed("has an option without =", equals)
		}
		value := r.next()
		if !value.isText {
			return nil, r.failed("has an option whose value needs quotes", value)
		}
		options[name.text] = value.text
	}
}

// loginReader cuts a login into tokens.
type loginReader struct{ rest string }

// loginToken is a word or what was in quotes, or else one character; "" and no text is the end.
type loginToken struct {
	text   string
	isText bool
}

func (t loginToken) isEnd() bool { return !t.isText && (t.text == "" || t.text == ";") }

// failed is an ErrLogin that shows no part of the text, most of which is secret.
func (r *loginReader) failed(what string, at loginToken) error {
	if at.isEnd() {
		return fmt.Errorf("%w ends too early", ErrLogin)
	}
	return fmt.Errorf("%w %s", ErrLogin, what)
}

// end wants nothing behind the semicolon: a client logs in by one module.
func (r *loginReader) end(last loginToken) error {
	if last.text == ";" && r.next() != (loginToken{}) {
		return fmt.Errorf("%w has more than one login module", ErrLogin)
	}
	return nil
}

func (r *loginReader) next() loginToken {
	r.skip()
	if r.rest == "" {
		return loginToken{}
	}
	if q := r.rest[0]; q == '"' || q == '\'' {
		return r.quoted(q)
	}
	n := 0
	for n < len(r.rest) && inWord(r.rest[n]) {
		n++
	}
	if c := r.rest[0]; n == 0 || c >= '0' && c <= '9' || c == '-' || c == '.' {
		_, size := utf8.DecodeRuneInString(r.rest)
		return loginToken{text: r.cut(size)}
	}
	return loginToken{text: r.cut(n), isText: true}
}

func (r *loginReader) cut(n int) string {
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}

// skip passes over blanks and comments.
func (r *loginReader) skip() {
	for {
		r.rest = strings.TrimLeftFunc(r.rest, func(c rune) bool { return c <= ' ' })
		switch {
		case strings.HasPrefix(r.rest, "//"):
			_, r.rest, _ = strings.Cut(r.rest, "\n")
		case strings.HasPrefix(r.rest, "/*"):
			_, r.rest, _ = strings.Cut(r.rest[2:], "*/")
		default:
			return
		}
	}
}

// escapes are the letters that stand for another character behind a backslash.
var escapes = map[byte]byte{'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// quoted is what stands between two quotes. A text that is not closed is no text.
func (r *loginReader) quoted(quote byte) loginToken {
	var b strings.Builder
	for i := 1; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case c == quote:
			r.rest = r.rest[i+1:]
			return loginToken{text: b.String(), isText: true}
		case c == '\\' && i+1 < len(r.rest):
			octal, n := octalOf(r.rest[i+1:])
			if n > 0 {
				i += n
				b.WriteRune(octal)
				continue
			}
			i++
			c = r.rest[i]
			if special, ok := escapes[c]; ok {
				c = special
			}
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return loginToken{text: string(quote)}
}

// octalOf reads up to three octal digits, no more than make 0377, and says how many there were.
func octalOf(s string) (value rune, digits int) {
	for digits < min(3, len(s)) && s[digits] >= '0' && s[digits] <= '7' && value*8+rune(s[digits]-'0') <= 0o377 {
		value = value*8 + rune(s[digits]-'0')
		digits++
	}
	return value, digits
}

func inWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf || strings.IndexByte("-._$", c) >= 0
}
