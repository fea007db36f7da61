package judge

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/ottla/ottla/test/bench/card"
)

// TestScenarios reads testdata: runs, and what is made of them.
//
//	judge [higher] [tail] [rate] [goal=X] [card=X] [most=X] [pairs=N]
//	PAIR SIDE VALUE [control=X] [foreign=X] [steal=X] [client=X]
//
// calibrate takes kafka=(LOW,HIGH), floor=X, slow=X and size besides; disturb prints why each run does not count.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			m, wanted := metric(t, d)
			runs := parse(t, d.Input)
			switch d.Cmd {
			case "order":
				return order(wanted)
			case "disturb":
				return disturbed(runs)
			case "judge":
				return verdict(Judge(m, Pair(runs), wanted))
			case "calibrate":
				return calibration(Judge(m, Pair(runs), wanted), slow(t, d))
			}
			return "unknown command " + d.Cmd
		})
	})
}

var rule = Rule{Foreign: 0.15, Steal: 0.02}

func metric(t *testing.T, d *datadriven.TestData) (m card.Metric, wanted int) {
	m.Name, wanted = "x", 3
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "higher":
			m.Higher = true
		case "size":
			m.Size = true
		case "tail":
			m.Tail = true
		case "rate":
			m.Rate = true
		case "goal":
			m.Goal = number(t, a.Vals[0])
		case "card":
			m.CardGoal = number(t, a.Vals[0])
		case "most":
			m.Most = number(t, a.Vals[0])
		case "floor":
			m.Floor = number(t, a.Vals[0])
		case "kafka":
			m.Kafka = [2]float64{number(t, a.Vals[0]), number(t, a.Vals[1])}
		case "pairs":
			wanted = int(number(t, a.Vals[0]))
		}
	}
	return m, wanted
}

func parse(t *testing.T, input string) []Run {
	var runs []Run
	for line := range strings.Lines(input) {
		f := strings.Fields(line)
		r := Run{Pair: int(number(t, f[0])), Side: f[1], Values: map[string]float64{"x": number(t, f[2])}}
		for _, word := range f[3:] {
			key, value, _ := strings.Cut(word, "=")
			x := number(t, value)
			switch key {
			case "control":
				r.Control = map[string]float64{"x": x}
			case "foreign":
				r.Foreign = x
			case "steal":
				r.Steal = x
			case "client":
				r.Values["client x"] = x
			}
		}
		r.Disturbed = rule.Why(r)
		runs = append(runs, r)
	}
	return runs
}

func number(t *testing.T, s string) float64 {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func order(pairs int) string {
	var b strings.Builder
	for p := range pairs {
		o := Order(p)
		fmt.Fprintf(&b, "%s %s\n", o[0], o[1])
	}
	return b.String()
}

func disturbed(runs []Run) string {
	var b strings.Builder
	for _, r := range runs {
		why := r.Disturbed
		if why == "" {
			why = "counts"
		}
		fmt.Fprintf(&b, "%d %s: %s\n", r.Pair, r.Side, why)
	}
	return b.String()
}

func verdict(v Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ours %s peer %s", figure(v.HasOurs, v.Ours), figure(v.HasPeer, v.Peer))
	if v.OursClient > 0 {
		fmt.Fprintf(&b, " clients %.3g and %.3g", v.OursClient, v.PeerClient)
	}
	b.WriteString("\n")
	if v.Pairs > 0 {
		fmt.Fprintf(&b, "ratio %.2f (%.2f..%.2f) of %d pairs", v.Ratio[0], v.Ratio[1], v.Ratio[2], v.Pairs)
	} else {
		b.WriteString("no ratio")
	}
	if v.Win != NoGoal {
		b.WriteString(" ahead: " + string(v.Win))
	}
	if v.Goal != NoGoal {
		b.WriteString(" goal: " + string(v.Goal))
	}
	if v.Card != NoGoal {
		b.WriteString(" scorecard: " + string(v.Card))
	}
	b.WriteString("\n")
	if v.Dropped > 0 || v.Useless || v.Void+v.Masked > 0 {
		fmt.Fprintf(&b, "dropped %d, void %d, masked %d, useless %v\n", v.Dropped, v.Void, v.Masked, v.Useless)
	}
	if v.HasFloor {
		fmt.Fprintf(&b, "floor %.3g, %.0f %% of it\n", v.Floor, 100*v.OfFloor)
	}
	if v.Null > 0 {
		fmt.Fprintf(&b, "null %.3g, bound by the client: %v\n", v.Null, v.Bound)
	}
	return b.String()
}

func figure(has bool, x float64) string {
	if !has {
		return "-"
	}
	return fmt.Sprintf("%.3g", x)
}

// slow is the slowness of other metrics.
func slow(t *testing.T, d *datadriven.TestData) float64 {
	for _, a := range d.CmdArgs {
		if a.Key == "slow" {
			return number(t, a.Vals[0])
		}
	}
	return 0
}

func calibration(v Verdict, slow float64) string {
	c, ok := Calibrate(v, slow)
	if !ok {
		return "nothing to compare with\n"
	}
	return fmt.Sprintf("peer %.3g, %.2f times the reference, floor %.2f, corrected %.2f, agrees: %v\n", c.Peer, c.Times, c.Floor, c.Corrected, c.Agrees)
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{3, 1}, 2}, {[]float64{5, 1, 3}, 3}} {
		if got := Median(c.of); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("of %v: %v", c.of, got)
		}
	}
	values := []float64{2, 1}
	Median(values)
	if values[0] != 2 {
		t.Error("the argument was sorted")
	}
}
