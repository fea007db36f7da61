package span

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// layouts are the forms of a time that are not a number, UTC where they name no zone.
var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"}

// ParseTime reads a time: RFC 3339, a date, milliseconds (11 digits and more) or seconds (up to 10) since 1970.
func ParseTime(s string) (time.Time, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 && !strings.HasPrefix(s, "+") {
		if len(s) > 10 {
			return time.UnixMilli(n).UTC(), nil
		}
		return time.Unix(n, 0).UTC(), nil
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time: want 2026-01-31, 2026-01-31T12:00:00Z, or seconds or milliseconds since 1970", s)
}
