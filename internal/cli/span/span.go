package span

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Place is one end of a range of offsets, before it is known what it means for a partition.
type Place struct {
	Kind placeKind
	N    int64     // of exact, fromStart, beforeEnd, after
	At   time.Time // of moment
}

type placeKind int8

const (
	Open      placeKind = iota // no bound
	Start                      // the first record there is
	End                        // behind the last record there is now
	Exact                      // offset n
	FromStart                  // n offsets behind the start
	BeforeEnd                  // n offsets before the end
	After                      // n offsets behind the other end of the range
	Moment                     // the first record of that time or later
)

// Range is what to consume: from inclusive, to exclusive.
type Range struct{ From, To Place }

const offsetGrammar = "want start, end, N, +N, -N, a range FROM:TO of these (:end, 10:20), or times @T, @T1:T2, @-1h:end"

// Parse reads a range:
//
//	start        from the first record
//	end          from what is written from now on
//	N            from offset N
//	+N, -N       from N offsets behind the start, before the end
//	FROM:TO      up to TO, exclusive; FROM alone missing is start; in TO, +N counts from FROM
//	@T           from the first record of time T or later; @T1:T2, @:T2 likewise
//
// T is a time as parseTime reads it, or a duration: of T1 from now, of T2 from T1 if that is a time, else from now. "end" may be T2.
func Parse(s string, now time.Time) (Range, error) {
	if rest, ok := strings.CutPrefix(s, "@"); ok {
		return parseTimes(s, rest, now)
	}
	left, right, ranged := strings.Cut(s, ":")
	r := Range{From: Place{Kind: Start}}
	var err error
	if left != "" || !ranged {
		if r.From, err = ParsePlace(left, FromStart); err != nil {
			return r, fmt.Errorf("%q: %w", s, err)
		}
	}
	if right != "" {
		if r.To, err = ParsePlace(right, After); err != nil {
			return r, fmt.Errorf("%q: %w", s, err)
		}
	}
	if r.From.Kind == Exact && r.To.Kind == Exact && r.To.N < r.From.N {
		return r, fmt.Errorf("%q ends before it begins", s)
	}
	return r, nil
}

// ParsePlace reads one end; plus is what +N means there.
func ParsePlace(s string, plus placeKind) (Place, error) {
	switch s {
	case "start", "oldest", "beginning", "earliest":
		return Place{Kind: Start}, nil
	case "end", "newest", "latest":
		return Place{Kind: End}, nil
	case "":
		return Place{}, fmt.Errorf("%s", offsetGrammar)
	}
	kind, digits := Exact, s
	switch s[0] {
	case '+':
		kind, digits = plus, s[1:]
	case '-':
		kind, digits = BeforeEnd, s[1:]
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return Place{}, fmt.Errorf("%s", offsetGrammar)
	}
	return Place{Kind: kind, N: int64(n)}, nil
}

// parseTimes reads what stands behind the @. Times hold colons themselves, so every colon is tried as the one between two times.
func parseTimes(whole, s string, now time.Time) (Range, error) {
	if from, _, err := ParseMoment(s, now, now); err == nil {
		return Range{From: from}, nil
	}
	for i := range len(s) {
		if s[i] != ':' {
			continue
		}
		r := Range{From: Place{Kind: Start}}
		base := now
		if i > 0 {
			from, absolute, err := ParseMoment(s[:i], now, now)
			if err != nil {
				continue
			}
			r.From = from
			if absolute {
				base = from.At
			}
		}
		if i+1 == len(s) {
			return r, nil
		}
		to, _, err := ParseMoment(s[i+1:], base, now)
		if err != nil {
			continue
		}
		if to.Kind == Moment && r.From.Kind == Moment && to.At.Before(r.From.At) {
			return r, fmt.Errorf("%q ends before it begins", whole)
		}
		r.To = to
		return r, nil
	}
	return Range{}, fmt.Errorf("%q: %s", whole, offsetGrammar)
}

// ParseMoment reads a time, or a duration from base; absolute tells which.
func ParseMoment(s string, base, now time.Time) (p Place, absolute bool, err error) {
	switch s {
	case "start":
		return Place{Kind: Start}, false, nil
	case "end":
		return Place{Kind: End}, false, nil
	case "now":
		return Place{Kind: Moment, At: now}, true, nil
	}
	if t, err := ParseTime(s); err == nil {
		return Place{Kind: Moment, At: t}, true, nil
	}
	d, err := parseDuration(s)
	if err != nil {
		return Place{}, false, err
	}
	return Place{Kind: Moment, At: base.Add(d)}, false, nil
}

// parseDuration reads what time.ParseDuration does, and days: 2d, -1d12h.
func parseDuration(s string) (time.Duration, error) {
	sign, rest := time.Duration(1), s
	switch {
	case strings.HasPrefix(s, "-"):
		sign, rest = -1, s[1:]
	case strings.HasPrefix(s, "+"):
		rest = s[1:]
	}
	var days time.Duration
	if d, tail, ok := strings.Cut(rest, "d"); ok {
		n, err := strconv.ParseUint(d, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration", s)
		}
		days, rest = time.Duration(n)*24*time.Hour, tail
		if rest == "" {
			return sign * days, nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration", s)
	}
	return sign * (days + d), nil
}
