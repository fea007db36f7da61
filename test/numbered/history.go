package numbered

// Harm is what became of records that were acknowledged; all zero is none.
type Harm struct{ Lost, Duplicated, Reordered int }

// History is the numbers of one partition, in the order in which they were read. It keeps a bit for each.
type History struct {
	harm *Harm
	seen []uint64 // a bit for each number
	last uint64
}

// NewHistory adds to the harm done in other partitions.
func NewHistory(harm *Harm) *History { return &History{harm: harm} }

// Add takes the next number.
func (h *History) Add(n uint64) {
	for uint64(len(h.seen)) <= n/64 {
		h.seen = append(h.seen, 0)
	}
	if h.has(n) {
		h.harm.Duplicated++
	} else if n < h.last {
		h.harm.Reordered++
	}
	h.seen[n/64] |= 1 << (n % 64)
	h.last = max(h.last, n)
}

func (h *History) has(n uint64) bool {
	return n/64 < uint64(len(h.seen)) && h.seen[n/64]&(1<<(n%64)) != 0
}

// End compares them with what was acknowledged: 1 to acked. What nobody acknowledged may be there.
func (h *History) End(acked uint64) {
	for n := uint64(1); n <= acked; n++ {
		if !h.has(n) {
			h.harm.Lost++
		}
	}
}
