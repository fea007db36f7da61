package top

import "unicode/utf8"

// key is a key of the keyboard: a character, or one of those below.
type key rune

const (
	up key = -iota - 1
	down
	pageUp
	pageDown
	escape
	backspace
	enter
	interrupt
)

// sequences are what terminals send for keys that are no characters.
var sequences = map[string]key{
	"\x1b[A": up, "\x1b[B": down, "\x1bOA": up, "\x1bOB": down, "\x1b[5~": pageUp, "\x1b[6~": pageDown,
	"\x1b": escape, "\x7f": backspace, "\b": backspace, "\r": enter, "\n": enter, "\x03": interrupt, "\x04": interrupt,
}

// decode reads the keys of what a terminal sent at once. What it does not know is left out.
func decode(b []byte) []key {
	var keys []key
	for len(b) > 0 {
		n := min(len(b), 4)
		for n > 0 {
			if k, ok := sequences[string(b[:n])]; ok && !(k == escape && len(b) > 1) {
				keys = append(keys, k)
				break
			}
			n--
		}
		if n == 0 {
			if b[0] == '\x1b' { // a sequence of no meaning here
				return keys
			}
			var r rune
			if r, n = utf8.DecodeRune(b); r >= ' ' && r != utf8.RuneError {
				keys = append(keys, key(r))
			}
		}
		b = b[n:]
	}
	return keys
}

// press does what a key asks for, and reports whether that is to end.
func (m *model) press(k key) (quit bool) {
	if m.typing {
		m.typeFilter(k)
		return k == interrupt
	}
	switch k {
	case 'q', 'Q', interrupt:
		return true
	case 't', 'g', 'b':
		m.view, m.scroll = map[key]view{'t': topics, 'g': groups, 'b': brokers}[k], 0
	case '\t':
		m.view, m.scroll = (m.view+1)%3, 0
	case 's':
		m.sort[m.view] = (m.sort[m.view] + 1) % len(headings[m.view])
	case 'r':
		m.reversed[m.view] = !m.reversed[m.view]
	case 'p', ' ':
		m.paused = !m.paused
	case '/':
		m.typing, m.filter = true, ""
	case escape:
		m.filter, m.help = "", false
	case '?', 'h':
		m.help = !m.help
	case up, 'k':
		m.scroll = max(m.scroll-1, 0)
	case down, 'j':
		m.scroll++
	case pageUp:
		m.scroll = max(m.scroll-page, 0)
	case pageDown:
		m.scroll += page
	}
	return false
}

// page is by how many lines a page key scrolls.
const page = 10

func (m *model) typeFilter(k key) {
	switch {
	case k == enter:
		m.typing = false
	case k == escape:
		m.typing, m.filter = false, ""
	case k == backspace:
		_, n := utf8.DecodeLastRuneInString(m.filter)
		m.filter = m.filter[:len(m.filter)-n]
	case k >= ' ':
		m.filter += string(rune(k))
	}
	m.scroll = 0
}
