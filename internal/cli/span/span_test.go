package span

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// TestOffsets reads ranges, a line each, at 2026-01-31 12:00 UTC.
func TestOffsets(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	datadriven.RunTest(t, "testdata/ranges.txt", func(t *testing.T, d *datadriven.TestData) string {
		var b strings.Builder
		for line := range strings.SplitSeq(d.Input, "\n") {
			r, err := Parse(line, now)
			if err != nil {
				fmt.Fprintf(&b, "%s: %v\n", line, err)
				continue
			}
			fmt.Fprintf(&b, "%s: %s to %s\n", line, describePlace(r.From), describePlace(r.To))
		}
		return b.String()
	})
}

func describePlace(p Place) string {
	switch p.Kind {
	case Open:
		return "no end"
	case Start:
		return "the start"
	case End:
		return "the end"
	case FromStart:
		return fmt.Sprintf("start+%d", p.N)
	case BeforeEnd:
		return fmt.Sprintf("end-%d", p.N)
	case After:
		return fmt.Sprintf("from+%d", p.N)
	case Moment:
		return p.At.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(p.N)
}

func FuzzOffsets(f *testing.F) {
	for _, s := range []string{"start", "end", ":end", "+3", "-3", "3:4", "@-1h:end", "@2026-01-31T00:00:00Z:2026-02-01", "@:1d", "1:+2"} {
		f.Add(s)
	}
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s, now)
		if err == nil && r.From.Kind == Open {
			t.Fatalf("%q has no beginning", s)
		}
	})
}
