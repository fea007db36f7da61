package kafkatools

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// argFail ends a tool in the style of argparse4j whose arguments make no sense.
func (w *World) argFail(c string, err error) int {
	w.errorln(c + ": error: " + err.Error())
	return 1
}

// wholeNumber reads a whole number of 64 bits.
func wholeNumber(f *jopt.Found, a *jopt.Arg) (int64, error) {
	v := f.Value(a)
	if v == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("argument %s: could not convert '%s' to Long (64 bits)", a.Name(), v)
	}
	return n, nil
}

// decimals writes a number as %.4f of Java does.
func decimals(f float64, places int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(f, 'f', places, 64)
}

const mebibyte = 1 << 20

// throttle holds a sender back to a rate.
type throttle struct {
	target  float64 // a second; below zero for no limit
	began   time.Time
	deficit time.Duration
}

// hold waits when so many were sent too soon. It waits for several records at once, because short waits are long. A target of 0 waits for
// the end of ctx.
func (t *throttle) hold(ctx context.Context, sent int64, now time.Time) {
	if t.target < 0 {
		return
	}
	elapsed := now.Sub(t.began).Seconds()
	if elapsed <= 0 || float64(sent)/elapsed <= t.target {
		return
	}
	if t.target == 0 {
		<-ctx.Done()
		return
	}
	t.deficit += time.Duration(float64(time.Second) / t.target)
	if t.deficit < 2*time.Millisecond {
		return
	}
	_ = pause(ctx, t.deficit) // who calls looks at ctx
	t.deficit = 0
}

// metricRow is a row of --print-metrics.
type metricRow struct {
	name  string
	value float64
}

// printMetrics prints rows in the table of Apache's tools. The metrics themselves are ours: there is no Java client to ask.
func (w *World) printMetrics(client string, rows []metricRow) {
	c := column{}
	for i, r := range rows {
		rows[i].name = r.name + ":{client-id=" + client + "}"
		c.fit(rows[i].name)
	}
	w.println("\n" + pad("Metric Name", c.width) + "   Value")
	for _, r := range rows {
		w.println(pad(r.name, c.width) + " : " + decimals(r.value, 3))
	}
}

// pairs reads KEY=VALUE words, of which neither may be empty.
func pairs(s settings, words []string) error {
	for _, word := range words {
		k, v, ok := strings.Cut(word, "=")
		if !ok || v == "" || strings.Contains(v, "=") {
			return fmt.Errorf("Invalid property: %s", word)
		}
		s[k] = v
	}
	return nil
}
