package load

import (
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/histogram"
)

// result is what one measurement found.
type result struct {
	Test      string     `json:"test"`
	Topic     string     `json:"topic"`
	Records   int64      `json:"records"`
	Bytes     int64      `json:"bytes"` // of values
	Seconds   float64    `json:"seconds"`
	Rate      float64    `json:"recordsPerSecond"`
	Bandwidth float64    `json:"mibPerSecond"`
	Failed    int64      `json:"failedRecords"`
	Latency   *latencies `json:"latencyMs,omitempty"`
}

// latencies are in milliseconds.
type latencies struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

func newResult(test, topic string, records, bytes int64, took time.Duration, h *histogram.Histogram) result {
	r := result{Test: test, Topic: topic, Records: records, Bytes: bytes, Seconds: took.Seconds()}
	if s := took.Seconds(); s > 0 {
		r.Rate, r.Bandwidth = float64(records)/s, float64(bytes)/s/(1<<20)
	}
	if h != nil && h.Count() > 0 {
		ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
		r.Latency = &latencies{ms(h.Mean()), ms(h.At(.5)), ms(h.At(.9)), ms(h.At(.99)), ms(h.At(.999)), ms(h.Max())}
	}
	return r
}

// print writes the result; what a person reads first stands first.
func (r result) print(a *command.App) error {
	if a.Output.Value != "table" {
		return a.Object("BenchResult", r)
	}
	fmt.Fprintf(a.Out, "%s in %.1f s: %.0f records/s, %.1f MiB/s\n", command.Count(r.Records, "record"), r.Seconds, r.Rate, r.Bandwidth)
	if r.Failed > 0 {
		fmt.Fprintf(a.Out, "%s failed\n", command.Count(r.Failed, "record"))
	}
	if l := r.Latency; l != nil {
		fmt.Fprintf(a.Out, "latency, ms: mean %.2f, p50 %.2f, p90 %.2f, p99 %.2f, p99.9 %.2f, max %.2f\n", l.Mean, l.P50, l.P90, l.P99, l.P999, l.Max)
	}
	return nil
}
