package record

// short reads the zig-zag varint of one or two bytes at b[i:] and returns where it ends; -1 if it is longer or b ends before.
func short(b []byte, i int) (v int64, next int) {
	if i+1 >= len(b) {
		return 0, -1
	}
	x := uint64(b[i])
	if x < 0x80 {
		return unzigzag(x), i + 1
	}
	if y := uint64(b[i+1]); y < 0x80 {
		return unzigzag(x&0x7f | y<<7), i + 2
	}
	return 0, -1
}

// ordinary takes in the records at hand that are like most: below 8 KiB, in the window, with a key if one is wanted, and not the last.
// It stops before the first that is not, of which the walker's next step then tells what it is: a batch of small records is walked
// here, in a third of the instructions. index is the record's number, and that of the next one is returned.
func (s *scanned) ordinary(w *Walker, oldest, newest int64, keyed bool, index int32) int32 {
	b, at, left := w.win, 0, w.left
	for left > 1 {
		size, i := short(b, at)
		end := i + int(size)
		if i < 0 || size <= 0 || int(size) > w.maxRecord || end >= len(b) {
			break
		}
		delta, i := short(b, i+1) // behind the attributes, which are unused
		if i < 0 {
			break
		}
		offset, i := short(b, i)
		if i < 0 {
			break
		}
		key, i := short(b, i)
		if i < 0 {
			break
		}
		i += int(max(key, 0))
		value, j := short(b, i)
		if j < 0 {
			break
		}
		j += int(max(value, 0))
		if j+1 != end || b[j] != 0 {
			headers, k := short(b, j)
			if j >= end || k < 0 || headers < 0 || headers > int64(end-k) || !headersFill(b[:end], k, headers) {
				break
			}
		}
		timestamp := w.base + delta
		if timestamp < oldest || timestamp > newest || keyed && key < 0 {
			break
		}
		s.maxTimestamp = max(s.maxTimestamp, timestamp)
		s.outOfPlace = s.outOfPlace || offset != int64(index)
		s.bytes += int64(end - at)
		at, left, index = end, left-1, index+1
	}
	w.win, w.left = b[at:], left
	return index
}
