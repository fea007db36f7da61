package report

import (
	_ "embed"
	"os"
	"regexp"
	"strings"
	"text/template"

	"github.com/ottla/ottla/test/bench/card"
)

//go:embed page.md.tmpl
var page string

// WritePage writes the page of benchmarks: all rows of the scorecard, with the parts that people wrote.
func WritePage(path string, r *Result) error {
	text, err := r.Page()
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// Page is the page's text.
func (r *Result) Page() (string, error) {
	t, err := template.New("page").Parse(page)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, map[string]any{
		"Date": r.Started.Format("2006-01-02"), "Ours": r.Ours, "Peer": r.peer(), "Machine": r.Machine, "Memory": number(float64(r.Machine.Memory) / (1 << 30)),
		"Pairs": r.Pairs, "Foreign": number(100 * r.Rule.Foreign), "Steal": number(100 * r.Rule.Steal), "Lengths": r.lengths(), "Notes": r.Notes,
		"Commands": r.Command, "Table": r.Table(card.Rows), "Calibration": r.Calibration(card.Rows), "Missing": r.missing(card.Rows),
	})
	return b.String(), err
}

// places are the options that say where something lies on the machine that measured.
var places = regexp.MustCompile(` ?--?(json|dir|from|write)[ =]\S+`)

// Command is what was run, for whoever does it again elsewhere.
func Command(args []string) string {
	return strings.TrimSpace(places.ReplaceAllString(strings.Join(args, " "), ""))
}

// missing are the series that the result has no runs of.
func (r *Result) missing(rows []card.Row) []string {
	var all []string
	for _, row := range rows {
		for _, s := range row.Series {
			key := row.Key(s)
			if _, failed := r.Failed[key]; !failed && s.Same == "" && len(r.of(key)) == 0 {
				all = append(all, key)
			}
		}
	}
	return all
}
