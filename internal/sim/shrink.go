package sim

import (
	"slices"
	"strconv"
	"strings"
)

// Choice says which of the troubles of a seed there are: faults by their number in the schedule, and what goes on all the time by its name.
type Choice struct {
	// Without is what is left out.
	Without []string
	// Only, unless nil, is all that is there.
	Only []string
}

func (c Choice) has(trouble string) bool {
	return !slices.Contains(c.Without, trouble) && (c.Only == nil || slices.Contains(c.Only, trouble))
}

// apply takes from a plan what goes on all the time and was not chosen, and returns the names of what is left.
func (c Choice) apply(p *plan) (left []string) {
	for _, t := range []struct {
		name string
		rate *float64
	}{{"loss", &p.loss}, {"slow", &p.slow}, {"repeat", &p.duplicate}, {"corrupt", &p.corrupt}, {"late-apply", &p.lateApply}, {"drift", &p.drift}} {
		if !c.has(t.name) {
			*t.rate = 0
		}
		if *t.rate > 0 {
			left = append(left, t.name)
		}
	}
	for _, t := range []struct {
		name string
		on   *bool
	}{{"voters", &p.churn}, {"moves", &p.moves}} {
		if *t.on = *t.on && c.has(t.name); *t.on {
			left = append(left, t.name)
		}
	}
	return left
}

// Shrink leaves out trouble after trouble of a seed that fails, as long as it fails in the same way, and returns what is left with the last failure. What is
// drawn for one fault does not depend on the others, but what they lead to does: another failure ends in another choice.
func Shrink(seed uint64) (Choice, Result) {
	last := Run(seed, nil, Choice{})
	if last.Err == nil {
		return Choice{}, last
	}
	how, all := kind(last.Err), last.Troubles
	left := shrink(all, func(some []string) bool {
		r := Run(seed, nil, Choice{Only: some})
		if r.Err == nil || kind(r.Err) != how {
			return false
		}
		last = r
		return true
	})
	without := slices.DeleteFunc(slices.Clone(all), func(t string) bool { return slices.Contains(left, t) })
	if len(strings.Join(without, ",")) < len(strings.Join(left, ",")) {
		return Choice{Without: without}, last
	}
	return Choice{Only: left}, last
}

// shrink leaves out of a list what it can while it fails: halves first, then less and less, until nothing alone can be left out.
func shrink(all []string, fails func([]string) bool) []string {
	all = append([]string{}, all...)
	for size := (len(all) + 1) / 2; size > 0; {
		smaller := false
		for from := 0; from < len(all); {
			some := slices.Concat([]string{}, all[:from], all[min(from+size, len(all)):])
			if fails(some) {
				all, smaller = some, true
			} else {
				from += size
			}
		}
		switch {
		case size > 1:
			size /= 2
		case !smaller:
			return all
		}
	}
	return all
}

// kind is what failures of one kind have in common: how they begin, without the numbers. C22 stays apart from C1.
func kind(err error) string {
	said := err.Error()
	if check, _, is := strings.Cut(said, ":"); is && len(check) <= 3 {
		return check
	}
	said = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, said)
	return said[:min(len(said), 20)]
}

// troubles are the names of all that goes wrong in a run.
func (w *World) troubles() []string {
	all := make([]string, 0, w.faults+len(w.always))
	for i := range w.faults {
		all = append(all, strconv.Itoa(i))
	}
	return append(all, w.always...)
}
