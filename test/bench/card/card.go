package card

import (
	"slices"
	"strconv"
)

// Row is one line of the scorecard.
type Row struct {
	Number  int
	Name    string   // what may stand for the number at the command line
	Aliases []string // what it was called before it had a number
	What    string   // the workload, exact
	Cannot  string   // why it can't run yet; "" where it can
	Pinned  bool     // server on the first CPU, client on the second
	Series  []Series
}

// Series is one kind of timed run of a row.
type Series struct {
	Name    string
	Same    string // the series of another row, "1/replayer", whose runs serve here
	Cross   bool   // by another client, as a check; a quick run leaves it out
	Long    bool   // takes its time: a quick run leaves it out
	Alone   bool   // ours alone: the peer can't, or has no such thing
	Metrics []Metric
}

// Metric is a figure of a run. Ratios are ours to the peer's; a zero is no goal.
type Metric struct {
	Name   string
	Higher bool // is better
	Tail   bool // a quantile: void when the echo control's is above a third of it
	Size   bool // no time in it: a slow machine changes nothing
	Rate   bool // the client may be the bottleneck: compared with the null server's

	Goal, CardGoal float64 // of the ratio: at the most, or at the least where higher is better
	Most, CardMost float64 // of our own figure, in its unit; at the least where higher is better

	Kafka [2]float64 // what Apache Kafka 4.4.0 did on the reference machine, lowest and highest
	Floor float64    // what the bare server did there
}

// Find returns the row of a number or name.
func Find(name string) (Row, bool) {
	for _, r := range Rows {
		if r.Name == name || slices.Contains(r.Aliases, name) || strconv.Itoa(r.Number) == name {
			return r, true
		}
	}
	return Row{}, false
}

// Get returns a series of the row.
func (r Row) Get(name string) (Series, bool) {
	for _, s := range r.Series {
		if s.Name == name {
			return s, true
		}
	}
	return Series{}, false
}

// Key names a series in results: "1/replayer".
func (r Row) Key(s Series) string {
	if s.Same != "" {
		return s.Same
	}
	return strconv.Itoa(r.Number) + "/" + s.Name
}
