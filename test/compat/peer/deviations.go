package peer

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Deviations are the differences that docs/deviations.md lists for one suite: a row's first cell is `SUITE NAME`, where *
// is any text and {a,b} one of several.
type Deviations []*regexp.Regexp

// LoadDeviations reads those of a suite from the table of the repository at root.
func LoadDeviations(root, suite string) (Deviations, error) {
	b, err := os.ReadFile(filepath.Join(root, "docs", "deviations.md"))
	if err != nil {
		return nil, err
	}
	return ParseDeviations(string(b), suite)
}

// ParseDeviations reads those of a suite from the text of the table.
func ParseDeviations(text, suite string) (Deviations, error) {
	row := regexp.MustCompile("^\\|\\s*`" + regexp.QuoteMeta(suite) + " ([^`]+)`")
	var all Deviations
	for line := range strings.SplitSeq(text, "\n") {
		if m := row.FindStringSubmatch(line); m != nil {
			glob := strings.NewReplacer(`\*`, ".*", `\{`, "(", `\}`, ")", ",", "|").Replace(regexp.QuoteMeta(m[1]))
			re, err := regexp.Compile("^(?:" + glob + ")$")
			if err != nil {
				return nil, fmt.Errorf("docs/deviations.md: %s: %w", m[1], err)
			}
			all = append(all, re)
		}
	}
	return all, nil
}

// Has reports whether a difference of that name is listed.
func (d Deviations) Has(name string) bool {
	for _, re := range d {
		if re.MatchString(name) {
			return true
		}
	}
	return false
}
