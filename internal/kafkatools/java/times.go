package java

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// durationPattern is PnDTnHnMnS, each part with a sign of its own.
var durationPattern = regexp.MustCompile(`(?i)^([-+]?)P(?:([-+]?[0-9]+)D)?(T(?:([-+]?[0-9]+)H)?(?:([-+]?[0-9]+)M)?(?:([-+]?[0-9]+)(?:[.,]([0-9]{0,9}))?S)?)?$`)

// ErrDuration is the error of a duration that is none.
var ErrDuration = errors.New("Text cannot be parsed to a Duration")

// ParseDuration reads a duration of ISO 8601 such as P1DT2H3M4.5S.
func ParseDuration(s string) (time.Duration, error) {
	m := durationPattern.FindStringSubmatch(s)
	if m == nil || strings.EqualFold(m[3], "T") || m[2]+m[4]+m[5]+m[6] == "" {
		return 0, ErrDuration
	}
	var sum time.Duration
	for i, unit := range map[int]time.Duration{2: 24 * time.Hour, 4: time.Hour, 5: time.Minute, 6: time.Second} {
		if m[i] == "" {
			continue
		}
		n, err := strconv.ParseInt(m[i], 10, 64)
		if limit := int64(1<<63-1) / int64(unit); err != nil || n > limit || n < -limit {
			return 0, ErrDuration
		}
		sum += time.Duration(n) * unit
	}
	if digits := m[7]; digits != "" {
		n, err := strconv.ParseInt((digits + "000000000")[:9], 10, 64)
		if err != nil {
			return 0, ErrDuration
		}
		if strings.HasPrefix(m[6], "-") {
			n = -n
		}
		sum += time.Duration(n)
	}
	if m[1] == "-" {
		sum = -sum
	}
	return sum, nil
}

// ParseDateTime reads YYYY-MM-DDThh:mm:ss.sss with or without an offset from UTC, as Kafka's tools do. Without one it is UTC.
func ParseDateTime(s string) (time.Time, error) {
	_, clock, ok := strings.Cut(s, "T")
	if !ok {
		return time.Time{}, errors.New("Error parsing timestamp. It does not contain a 'T' according to ISO8601 format")
	}
	text := s
	if !strings.ContainsAny(clock, "+-Z") {
		text += "Z"
	}
	for _, layout := range []string{"2006-1-2T15:4:5.999Z07:00", "2006-1-2T15:4:5.999Z07"} {
		if t, err := time.Parse(layout, text); err == nil && strings.Contains(clock, ".") {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("Unparseable date: %q", text)
}

// FormatTime writes a time by a pattern of SimpleDateFormat. It knows the letters y M d H h m s S a E z Z X and quotes; others are
// kept as they are.
func FormatTime(t time.Time, pattern string) string {
	var out strings.Builder
	for i := 0; i < len(pattern); {
		c := pattern[i]
		if c == '\'' {
			text, n := quoted(pattern[i:])
			out.WriteString(text)
			i += n
			continue
		}
		n := 1
		for i+n < len(pattern) && pattern[i+n] == c {
			n++
		}
		out.WriteString(timeField(t, c, n))
		i += n
	}
	return out.String()
}

// quoted is the text in the quotes that pattern begins with, and how much of pattern that was. Two quotes stand for one.
func quoted(pattern string) (string, int) {
	if strings.HasPrefix(pattern, "''") {
		return "'", 2
	}
	var text strings.Builder
	i := 1
	for ; i < len(pattern); i++ {
		if pattern[i] == '\'' {
			if !strings.HasPrefix(pattern[i:], "''") {
				break
			}
			i++
		}
		text.WriteByte(pattern[i])
	}
	return text.String(), i + 1
}

func timeField(t time.Time, letter byte, width int) string {
	number := func(n int) string { return fmt.Sprintf("%0*d", width, n) }
	switch letter {
	case 'y':
		if width == 2 {
			return fmt.Sprintf("%02d", t.Year()%100)
		}
		return number(t.Year())
	case 'M':
		switch {
		case width == 3:
			return t.Format("Jan")
		case width > 3:
			return t.Format("January")
		}
		return number(int(t.Month()))
	case 'd':
		return number(t.Day())
	case 'H':
		return number(t.Hour())
	case 'h':
		return number((t.Hour()+11)%12 + 1)
	case 'm':
		return number(t.Minute())
	case 's':
		return number(t.Second())
	case 'S':
		return number(t.Nanosecond() / 1e6)
	}
	layouts := map[byte]string{'a': "PM", 'E': "Mon", 'z': "MST", 'Z': "-0700", 'X': "Z07:00"}
	if layout, ok := layouts[letter]; ok {
		return t.Format(layout)
	}
	return strings.Repeat(string(letter), width)
}
