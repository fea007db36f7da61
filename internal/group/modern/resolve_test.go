package modern

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The matcher against package regexp, which matches whole names here as Kafka does.
func TestMatcherModel(t *testing.T) {
	pieces := []string{"a", "b", "ab", ".", "[ab]", "[^a]", "a*", "(a|b)*", "b+?", "(?:ab){1,2}", `\b`, "^", "$", `\A`, `\z`, `\B`, "é", "|", "(?i:A)", "()", `\.`}
	letters := []string{"a", "b", "A", ".", "é", "\xff", "\n"}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		draw := func(from []string, most int) string {
			var b strings.Builder
			for range r.IntN(most) {
				b.WriteString(from[r.IntN(len(from))])
			}
			return b.String()
		}
		text := draw(pieces, 6)
		program, err := compileRegex(text)
		if err != nil {
			continue
		}
		want := regexp.MustCompile(`\A(?:` + text + `)\z`)
		m := newMatcher(program)
		for range 20 {
			name := draw(letters, 6)
			if got := m.match(name); got != want.MatchString(name) {
				t.Fatalf("seed %d: %q against %q: %v", seed, text, name, got)
			}
		}
	}
}

// What one turn matches is bounded, however hostile the expression, and all the groups of a shard share what there is.
func TestMatchingIsBounded(t *testing.T) {
	m := &matching{regexes: []string{strings.Repeat("a?", 3000), "b.*", "[" /* of a log */, "a{3}.*"}}
	for i := range 100 {
		m.names = append(m.names, fmt.Sprintf("%s-%02d", strings.Repeat("a", 100), i))
	}
	turns, total := 0, 0
	for done := false; !done; turns++ {
		var steps int
		steps, done = m.goOn(mostSteps)
		if total += steps; steps > 2*mostSteps {
			t.Fatalf("a turn took %d steps", steps)
		}
	}
	if turns < 10 || total < 10*mostSteps {
		t.Errorf("all was matched in %d turns and %d steps", turns, total)
	}
	if len(m.matches[0])+len(m.matches[1])+len(m.matches[2]) != 0 || len(m.matches[3]) != 100 {
		t.Errorf("matched %v", m.matches)
	}
	var d debt
	now := time.UnixMilli(1_000_000)
	if d.left(now) != mostSteps {
		t.Error("a shard begins without a debt")
	}
	d.steps += 2 * mostSteps
	if got := d.left(now.Add(-time.Hour)); got != -mostSteps {
		t.Errorf("a clock that is set back leaves %d", got)
	}
	if got := d.left(now.Add(time.Second)); got != mostSteps {
		t.Errorf("a second later there are %d", got)
	}
}
