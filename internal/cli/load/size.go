package load

import (
	"fmt"
	"strconv"
	"strings"
)

// largestValue bounds a record's value; servers refuse far less unless they are told otherwise.
const largestValue = 512 << 20

// sizeFlag is a number of bytes, at most [largestValue].
type sizeFlag int64

var units = []struct {
	name  string
	bytes int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"k", 1 << 10}, {"m", 1 << 20}, {"B", 1}}

// String writes the size in the largest binary unit that divides it.
func (s *sizeFlag) String() string {
	n := int64(*s)
	for _, u := range []int{1, 0} {
		if n > 0 && n%units[u].bytes == 0 {
			return strconv.FormatInt(n/units[u].bytes, 10) + units[u].name
		}
	}
	return strconv.FormatInt(n, 10)
}

// Type is what the help shows as the flag's argument.
func (s *sizeFlag) Type() string { return "size" }

// Set takes a number with or without a unit.
func (s *sizeFlag) Set(text string) error {
	digits, times := text, int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			digits, times = rest, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil || n < 0 || n > largestValue/times {
		return fmt.Errorf("want bytes such as 100, 1KiB or 1MiB, at most %d", largestValue)
	}
	*s = sizeFlag(n * times)
	return nil
}
