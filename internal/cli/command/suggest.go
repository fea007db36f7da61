package command

import (
	"fmt"
	"slices"
	"strings"
)

// nearest returns the known words that word may have been meant to be, the best first, at most three.
func nearest(word string, known []string) []string {
	limit := (len(word) + 2) / 4
	var found [4][]string // by distance
	for _, k := range known {
		d := distance(strings.ToLower(word), strings.ToLower(k))
		if d > limit && len(word) > 2 && strings.HasPrefix(k, word) {
			d = limit
		}
		if d <= limit && d < len(found) {
			found[d] = append(found[d], k)
		}
	}
	var all []string
	for _, f := range found {
		all = append(all, f...)
	}
	return all[:min(len(all), 3)]
}

// DidYouMean returns a hint that names the nearest of the known words, or "".
func DidYouMean(word string, known []string) string {
	near := nearest(word, known)
	if len(near) == 0 {
		return ""
	}
	return fmt.Sprintf("did you mean %s?", strings.Join(near, " or "))
}

// distance counts the insertions, removals, replacements and swaps of neighbours that turn a into b.
func distance(a, b string) int {
	var before, last, row []int
	last = make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row = make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(row[j-1]+1, last[j]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// OneOf is the value of a flag that takes one word of a few.
type OneOf struct {
	Value string
	words []string
}

// String returns the word chosen.
func (o *OneOf) String() string { return o.Value }

// Type is what the help shows as the flag's argument.
func (o *OneOf) Type() string { return strings.Join(o.words, "|") }

// Set refuses a word that is none of the few.
func (o *OneOf) Set(s string) error {
	for _, w := range o.words {
		if s == w {
			o.Value = s
			return nil
		}
	}
	if near := nearest(s, o.words); len(near) > 0 {
		return fmt.Errorf("want one of %s; did you mean %s?", strings.Join(o.words, ", "), near[0])
	}
	return fmt.Errorf("want one of %s", strings.Join(o.words, ", "))
}

// SomeOf is the value of a flag that takes some words of a few, in any case; without it all are wanted.
type SomeOf struct {
	chosen []string
	Words  []string
}

// String returns the words chosen, separated by commas.
func (o *SomeOf) String() string { return strings.Join(o.chosen, ",") }

// Type is what the help shows as the flag's argument.
func (o *SomeOf) Type() string { return strings.Join(o.Words, ",") }

// Set adds words, and refuses one that is none of the few.
func (o *SomeOf) Set(s string) error {
	for word := range strings.SplitSeq(s, ",") {
		i := slices.IndexFunc(o.Words, func(w string) bool { return strings.EqualFold(w, strings.TrimSpace(word)) })
		if i < 0 {
			one := OneOf{words: o.Words}
			return one.Set(word)
		}
		o.chosen = append(o.chosen, o.Words[i])
	}
	return nil
}

// Wants reports whether the word was chosen, or none was.
func (o *SomeOf) Wants(word string) bool {
	return len(o.chosen) == 0 || slices.ContainsFunc(o.chosen, func(w string) bool { return strings.EqualFold(w, word) })
}

// Choice is a flag that takes one of these words; the first is what it is unless another is given.
func Choice(words ...string) OneOf { return OneOf{Value: words[0], words: words} }
