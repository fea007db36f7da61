package compaction

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/ottla/ottla/internal/kafka"
)

// TestPlan measures logs that are written down as «base:bytes» for each segment, the last one active.
func TestPlan(t *testing.T) {
	datadriven.RunTest(t, "testdata/plan.txt", func(t *testing.T, d *datadriven.TestData) string {
		l := Log{Config: Config{MinDirtyRatio: 0.5, MaxLag: -1}}
		var now, ratio, limit int
		var stable int
		for _, arg := range []struct {
			name string
			to   *int
		}{{"now", &now}, {"stable", &stable}, {"ratio", &ratio}, {"limit", &limit}} {
			if d.HasArg(arg.name) {
				d.ScanArgs(t, arg.name, arg.to)
			}
		}
		for _, arg := range []struct {
			name string
			set  func(n int)
		}{
			{"cleaned", func(n int) { l.Cleaned = kafka.Offset(n) }}, {"start", func(n int) { l.Start = kafka.Offset(n) }},
			{"end", func(n int) { l.End = kafka.Offset(n) }}, {"minlag", func(n int) { l.Config.MinLag = time.Duration(n) * time.Millisecond }},
			{"maxlag", func(n int) { l.Config.MaxLag = time.Duration(n) * time.Millisecond }},
		} {
			if d.HasArg(arg.name) {
				var n int
				d.ScanArgs(t, arg.name, &n)
				arg.set(n)
			}
		}
		for _, word := range strings.Fields(d.Input) {
			var s Segment
			var base, first, newest int64
			if n, _ := fmt.Sscanf(word, "%d:%d@%d-%d", &base, &s.Bytes, &first, &newest); n < 2 {
				d.Fatalf(t, "%q", word)
			}
			s.Base, s.First, s.Newest, s.IndexBytes = kafka.Offset(base), first, newest, s.Bytes/10
			l.Segments = append(l.Segments, s)
		}
		if d.Cmd == "groups" {
			return fmt.Sprintln(Groups(l.Segments, l.End, int64(limit), int64(limit)/10))
		}
		if d.HasArg("ratio") {
			l.Config.MinDirtyRatio = float64(ratio) / 100
		}
		l.LastStable = l.End
		if d.HasArg("stable") {
			l.LastStable = kafka.Offset(stable)
		}
		w := Measure(&l, int64(now))
		return fmt.Sprintf("from %d to %d: %d bytes dirty, %d clean, ratio %.2f, overdue %v, due %v\n",
			w.From, w.To, w.Dirty, w.Clean, w.Ratio(), w.Overdue, w.Due(&l.Config))
	})
}
