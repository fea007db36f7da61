package obs

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Counter counts what only grows. Adding costs one atomic addition and no lock. The zero Counter is ready.
type Counter struct{ n atomic.Int64 }

// Add adds n, which is not negative.
func (c *Counter) Add(n int64) { c.n.Add(n) }

// Value returns the count.
func (c *Counter) Value() int64 { return c.n.Load() }

// timeBounds are the upper bounds of a Histogram's buckets, inclusive; a last one takes the rest.
var timeBounds = [...]time.Duration{
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond,
	5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond, 2500 * time.Millisecond,
}

// Histogram counts durations by size, as Counter counts. The zero Histogram is ready.
type Histogram struct {
	buckets [len(timeBounds) + 1]Counter
	sum     Counter // ns
}

// Observe counts a duration.
func (h *Histogram) Observe(d time.Duration) {
	i := 0
	for i < len(timeBounds) && d > timeBounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

// Kind is the kind of a family, by the words of the text format.
type Kind string

// The kinds.
const (
	CounterKind   Kind = "counter"
	GaugeKind     Kind = "gauge"
	HistogramKind Kind = "histogram"
)

// Family is one metric with all its label values.
type Family struct {
	Name, Help string
	Kind       Kind
	Labels     []string
	// Collect gives each series: a value, or for a histogram the Histogram, and the values of the labels in their order.
	Collect func(e *Emitter)
}

// Emitter takes the series of a family that is being written.
type Emitter struct {
	w      *bufio.Writer
	family *Family
}

// Value writes a series.
func (e *Emitter) Value(v float64, labels ...string) { e.line("", v, labels, "") }

// Histogram writes the series of a histogram, unless it has seen nothing.
func (e *Emitter) Histogram(h *Histogram, labels ...string) {
	var total int64
	counts := make([]int64, len(h.buckets))
	for i := range h.buckets {
		total += h.buckets[i].Value()
		counts[i] = total
	}
	if total == 0 {
		return
	}
	for i, n := range counts {
		le := "+Inf"
		if i < len(timeBounds) {
			le = number(timeBounds[i].Seconds())
		}
		e.line("_bucket", float64(n), labels, le)
	}
	e.line("_sum", time.Duration(h.sum.Value()).Seconds(), labels, "")
	e.line("_count", float64(total), labels, "")
}

func (e *Emitter) line(suffix string, v float64, labels []string, le string) {
	var pairs []string
	for i, name := range e.family.Labels {
		pairs = append(pairs, name+`="`+escape.Replace(labels[i])+`"`)
	}
	if le != "" {
		pairs = append(pairs, `le="`+le+`"`)
	}
	braces := ""
	if len(pairs) > 0 {
		braces = "{" + strings.Join(pairs, ",") + "}"
	}
	fmt.Fprintf(e.w, "%s%s%s %s\n", e.family.Name, suffix, braces, number(v)) // Flush tells the error
}

var escape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// WriteMetrics writes families in Prometheus's text format 0.0.4, which is read by whatever scrapes.
func WriteMetrics(w io.Writer, families []Family) error {
	b := bufio.NewWriter(w)
	for i := range families {
		f := &families[i]
		fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", f.Name, escape.Replace(f.Help), f.Name, f.Kind)
		f.Collect(&Emitter{b, f})
	}
	return b.Flush()
}

// MetricsTable describes families as rows of a Markdown table, sorted by name.
func MetricsTable(families []Family) string {
	var rows []string
	for _, f := range families {
		labels := ""
		if len(f.Labels) > 0 {
			labels = "`" + strings.Join(f.Labels, "`, `") + "`"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s |\n", f.Name, f.Kind, labels, f.Help))
	}
	slices.Sort(rows)
	return "| Metric | Kind | Labels | |\n|---|---|---|---|\n" + strings.Join(rows, "")
}
