package segment

// A write into blocks that are reserved costs a quarter less than one that has to find its own. What a segment reserves ahead grows
// with it, so that a log with little in it holds little.
const (
	reserveFrom = 1 << 20  // bytes that a segment has before anything is reserved
	reserveStep = 16 << 20 // bytes at most at a time
)

// reserve has blocks ready for n more bytes behind size. Writer.
func (s *Segment) reserve(h *Handle, size, n int64) {
	if size < reserveFrom || size+n <= s.reserved {
		return
	}
	from := max(size, s.reserved)
	step := max(min(size, reserveStep), n)
	_ = h.file.Preallocate(from, step) // a hint: if there is no room, the write says so
	s.reserved = from + step
}

// trim gives back what a sealed segment has reserved and will not need.
func (s *Segment) trim(h *Handle) error {
	size := s.Size()
	if !s.sealed.Load() || size < reserveFrom {
		return nil
	}
	return h.file.Truncate(size)
}
