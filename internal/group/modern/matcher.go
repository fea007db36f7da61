package modern

import (
	"regexp/syntax"
	"unicode/utf8"
)

// matcher runs a regular expression's program over names and counts what that costs: package regexp can't be stopped, and
// doesn't tell.
type matcher struct {
	program *syntax.Prog
	// steps is how many instructions were looked at.
	steps int

	now, next []uint32 // instructions that want a rune
	seen      []int    // by instruction, the last round that it was added in
	round     int
	stack     []uint32
}

func newMatcher(program *syntax.Prog) *matcher {
	return &matcher{program: program, seen: make([]int, len(program.Inst))}
}

// match says whether the program, which is anchored at both ends, matches a name.
func (m *matcher) match(name string) bool {
	before, at := rune(-1), 0
	m.now = m.now[:0]
	m.round++
	start := uint32(m.program.Start)
	for {
		after, size := rune(-1), 0
		if at < len(name) {
			after, size = utf8.DecodeRuneInString(name[at:])
		}
		here := syntax.EmptyOpContext(before, after)
		if at == 0 {
			m.add(&m.now, start, here)
		}
		if size == 0 {
			return m.matched()
		}
		at += size
		following := rune(-1)
		if at < len(name) {
			following, _ = utf8.DecodeRuneInString(name[at:])
		}
		m.advance(after, syntax.EmptyOpContext(after, following))
		if before = after; len(m.now) == 0 {
			return false
		}
	}
}

// matched says whether the end of the program is among the instructions that were come to.
func (m *matcher) matched() bool {
	for _, pc := range m.now {
		if m.program.Inst[pc].Op == syntax.InstMatch {
			return true
		}
	}
	return false
}

// advance takes a rune; here is what is true of the place after it.
func (m *matcher) advance(r rune, here syntax.EmptyOp) {
	m.round++
	m.next = m.next[:0]
	for _, pc := range m.now {
		m.steps++
		if inst := &m.program.Inst[pc]; inst.Op != syntax.InstMatch && inst.MatchRune(r) {
			m.add(&m.next, inst.Out, here)
		}
	}
	m.now, m.next = m.next, m.now
}

// add adds an instruction, or those that follow it without a rune.
func (m *matcher) add(to *[]uint32, pc uint32, here syntax.EmptyOp) {
	m.stack = append(m.stack[:0], pc)
	for len(m.stack) > 0 {
		pc := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		if m.steps++; m.seen[pc] == m.round {
			continue
		}
		m.seen[pc] = m.round
		switch inst := &m.program.Inst[pc]; inst.Op {
		case syntax.InstFail:
		case syntax.InstAlt, syntax.InstAltMatch:
			m.stack = append(m.stack, inst.Arg, inst.Out)
		case syntax.InstCapture, syntax.InstNop:
			m.stack = append(m.stack, inst.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^here == 0 {
				m.stack = append(m.stack, inst.Out)
			}
		default:
			*to = append(*to, pc)
		}
	}
}
