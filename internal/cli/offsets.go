package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// place is one end of a range of offsets, before it is known what it means for a partition.
type place struct {
	kind placeKind
	n    int64     // of exact, fromStart, beforeEnd, after
	at   time.Time // of moment
}

type placeKind int8

const (
	open      placeKind = iota // no bound
	start                      // the first record there is
	end                        // behind the last record there is now
	exact                      // offset n
	fromStart                  // n offsets behind the start
	beforeEnd                  // n offsets before the end
	after                      // n offsets behind the other end of the range
	moment                     // the first record of that time or later
)

// offsetRange is what to consume: from inclusive, to exclusive.
type offsetRange struct{ from, to place }

const offsetGrammar = "want start, end, N, +N, -N, a range FROM:TO of these (:end, 10:20), or times @T, @T1:T2, @-1h:end"

// parseOffsets reads a range:
//
//	start        from the first record
//	end          from what is written from now on
//	N            from offset N
//	+N, -N       from N offsets behind the start, before the end
//	FROM:TO      up to TO, exclusive; FROM alone missing is start; in TO, +N counts from FROM
//	@T           from the first record of time T or later; @T1:T2, @:T2 likewise
//
// T is a time as parseTime reads it, or a duration: of T1 from now, of T2 from T1 if that is a time, else from now. "end" may be T2.
func parseOffsets(s string, now time.Time) (offsetRange, error) {
	if rest, ok := strings.CutPrefix(s, "@"); ok {
		return parseTimes(s, rest, now)
	}
	left, right, ranged := strings.Cut(s, ":")
	r := offsetRange{from: place{kind: start}}
	var err error
	if left != "" || !ranged {
		if r.from, err = parsePlace(left, fromStart); err != nil {
			return r, fmt.Errorf("%q: %w", s, err)
		}
	}
	if right != "" {
		if r.to, err = parsePlace(right, after); err != nil {
			return r, fmt.Errorf("%q: %w", s, err)
		}
	}
	if r.from.kind == exact && r.to.kind == exact && r.to.n < r.from.n {
		return r, fmt.Errorf("%q ends before it begins", s)
	}
	return r, nil
}

// parsePlace reads one end; plus is what +N means there.
func parsePlace(s string, plus placeKind) (place, error) {
	switch s {
	case "start", "oldest", "beginning":
		return place{kind: start}, nil
	case "end", "newest":
		return place{kind: end}, nil
	case "":
		return place{}, fmt.Errorf("%s", offsetGrammar)
	}
	kind, digits := exact, s
	switch s[0] {
	case '+':
		kind, digits = plus, s[1:]
	case '-':
		kind, digits = beforeEnd, s[1:]
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return place{}, fmt.Errorf("%s", offsetGrammar)
	}
	return place{kind: kind, n: int64(n)}, nil
}

// parseTimes reads what stands behind the @. Times hold colons themselves, so every colon is tried as the one between two times.
func parseTimes(whole, s string, now time.Time) (offsetRange, error) {
	if from, _, err := parseMoment(s, now, now); err == nil {
		return offsetRange{from: from}, nil
	}
	for i := range len(s) {
		if s[i] != ':' {
			continue
		}
		r := offsetRange{from: place{kind: start}}
		base := now
		if i > 0 {
			from, absolute, err := parseMoment(s[:i], now, now)
			if err != nil {
				continue
			}
			r.from = from
			if absolute {
				base = from.at
			}
		}
		if i+1 == len(s) {
			return r, nil
		}
		to, _, err := parseMoment(s[i+1:], base, now)
		if err != nil {
			continue
		}
		if to.kind == moment && r.from.kind == moment && to.at.Before(r.from.at) {
			return r, fmt.Errorf("%q ends before it begins", whole)
		}
		r.to = to
		return r, nil
	}
	return offsetRange{}, fmt.Errorf("%q: %s", whole, offsetGrammar)
}

// parseMoment reads a time, or a duration from base; absolute tells which.
func parseMoment(s string, base, now time.Time) (p place, absolute bool, err error) {
	switch s {
	case "start":
		return place{kind: start}, false, nil
	case "end":
		return place{kind: end}, false, nil
	case "now":
		return place{kind: moment, at: now}, true, nil
	}
	if t, err := parseTime(s); err == nil {
		return place{kind: moment, at: t}, true, nil
	}
	d, err := parseDuration(s)
	if err != nil {
		return place{}, false, err
	}
	return place{kind: moment, at: base.Add(d)}, false, nil
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
