package peer

const (
	// littleOf is the part of the memory that an answer must fill to need it.
	littleOf = 8
	// patience is how many answers in a row need little of the memory before it is given back.
	patience = 16
)

// memory is what one answer after the other is read into. New memory costs more than what is read into it: the kernel hands it out page by page and
// clears each, and the collector comes the more often.
type memory struct {
	reuse  bool
	spare  []byte // empty, with room
	little int    // answers in a row that would have done with much less
}

// take returns an empty slice for an answer of n bytes: with room for it, or with what room there is.
func (m *memory) take(n int) []byte {
	if n > cap(m.spare)/littleOf {
		m.little = 0
	} else if m.little++; m.little > patience {
		m.spare = nil
	}
	return m.spare[:0]
}

// keep takes the memory of an answer for the next one.
func (m *memory) keep(frame []byte) {
	if m.reuse {
		m.spare = frame[:0]
	}
}
