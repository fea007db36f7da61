package obs

import (
	"strings"
	"testing"
	"time"
)

func TestWriteMetrics(t *testing.T) {
	var c Counter
	c.Add(3)
	var h, idle Histogram
	for _, d := range []time.Duration{0, 50 * time.Microsecond, 51 * time.Microsecond, time.Hour} {
		h.Observe(d)
	}
	var out strings.Builder
	err := WriteMetrics(&out, []Family{
		{Name: "a_total", Help: `one \ "two"`, Kind: CounterKind, Labels: []string{"x", "y"}, Collect: func(e *Emitter) {
			e.Value(float64(c.Value()), "1", "a\"b\\c\nd")
		}},
		{Name: "b", Help: "plain", Kind: GaugeKind, Collect: func(e *Emitter) { e.Value(1.5e9) }},
		{Name: "c_seconds", Help: "times", Kind: HistogramKind, Labels: []string{"api"}, Collect: func(e *Emitter) {
			e.Histogram(&idle, "idle")
			e.Histogram(&h, "busy")
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `# HELP a_total one \\ \"two\"
# TYPE a_total counter
a_total{x="1",y="a\"b\\c\nd"} 3
# HELP b plain
# TYPE b gauge
b 1.5e+09
# HELP c_seconds times
# TYPE c_seconds histogram
c_seconds_bucket{api="busy",le="5e-05"} 2
c_seconds_bucket{api="busy",le="0.0001"} 3
c_seconds_bucket{api="busy",le="0.00025"} 3
c_seconds_bucket{api="busy",le="0.0005"} 3
c_seconds_bucket{api="busy",le="0.001"} 3
c_seconds_bucket{api="busy",le="0.0025"} 3
c_seconds_bucket{api="busy",le="0.005"} 3
c_seconds_bucket{api="busy",le="0.01"} 3
c_seconds_bucket{api="busy",le="0.025"} 3
c_seconds_bucket{api="busy",le="0.1"} 3
c_seconds_bucket{api="busy",le="0.5"} 3
c_seconds_bucket{api="busy",le="2.5"} 3
c_seconds_bucket{api="busy",le="+Inf"} 4
c_seconds_sum{api="busy"} 3600.000101
c_seconds_count{api="busy"} 4
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}

func TestCountersDoNotAllocate(t *testing.T) {
	var c Counter
	var h Histogram
	if n := testing.AllocsPerRun(100, func() { c.Add(1); h.Observe(time.Second) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
