package command

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Count writes a number with its noun, in the plural where it belongs: "1 topic", "3 topics".
func Count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatInt(n, 10) + " " + noun + "s"
}

// OrDash writes n, or "-" when there is none.
func OrDash(ok bool, n int64) string {
	if !ok {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

// OffsetText writes an offset, "-" when it is not known.
func OffsetText(o *int64) string {
	if o == nil {
		return "-"
	}
	return strconv.FormatInt(*o, 10)
}

// Moment writes milliseconds since 1970 as a time of UTC, "-" when there is none.
func Moment(ms *int64) string {
	if ms == nil {
		return "-"
	}
	return time.UnixMilli(*ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

// Pairs writes a map as key=value, sorted, or "-" when it is empty.
func Pairs(m map[string]string) string {
	if len(m) == 0 {
		return "-"
	}
	var s []string
	for k, v := range m {
		s = append(s, k+"="+v)
	}
	slices.Sort(s)
	return strings.Join(s, ",")
}

// OrEmpty is what s points to, or nothing.
func OrEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Dash writes s, "-" when it is empty.
func Dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// SizeOrDash is Size, "-" when it is not known.
func SizeOrDash(n *int64) string {
	if n == nil {
		return "-"
	}
	return Size(*n)
}

// Size writes a number of bytes in the unit that fits it.
func Size(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	f, i := float64(n)/unit, 0
	for f >= unit && i < 3 {
		f /= unit
		i++
	}
	return fmt.Sprintf("%.1f %s", f, [...]string{"KiB", "MiB", "GiB", "TiB"}[i])
}
