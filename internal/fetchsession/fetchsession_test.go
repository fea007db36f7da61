package fetchsession

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/ottla/ottla/internal/kafka"
)

// The scenarios in testdata speak of one cache:
//
//	cache slots=N [min-age=SECONDS]
//	fetch session=ID epoch=E [privileged] [by-id]     wants: «topic-partition offset», forgotten: «forget topic-partition»
//	  -> results in the same block: «= topic-partition hw=N [bytes=N] [error=N] [log-start=N]»; others repeat the last
//	clock SECONDS
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		w := &world{now: time.Unix(0, 0), ends: map[string]Result{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return w.run(t, d) })
	})
}

type world struct {
	cache   *Cache
	context Context
	now     time.Time
	ids     int32
	ends    map[string]Result
}

func (w *world) run(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "cache":
		slots, age := 0, 120
		d.ScanArgs(t, "slots", &slots)
		d.MaybeScanArgs(t, "min-age", &age)
		w.cache = NewCache(slots, time.Duration(age)*time.Second, func() int32 { w.ids++; return w.ids - 2 })
		return ""
	case "clock":
		s, err := strconv.Atoi(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Duration(s) * time.Second)
		return ""
	case "fetch":
		return w.fetch(t, d)
	}
	t.Fatalf("unknown command %s", d.Cmd)
	return ""
}

func (w *world) fetch(t *testing.T, d *datadriven.TestData) string {
	req := Request{ByID: d.HasArg("by-id"), Privileged: d.HasArg("privileged")}
	d.ScanArgs(t, "session", &req.Session)
	d.ScanArgs(t, "epoch", &req.Epoch)
	for _, line := range strings.Split(d.Input, "\n") {
		f := strings.Fields(line)
		switch {
		case len(f) == 0:
		case f[0] == "forget":
			req.Forgotten = append(req.Forgotten, key(t, f[1]))
		case f[0] == "=":
			w.ends[f[1]] = result(t, f[2:])
		default:
			offset, _ := strconv.Atoi(f[1])
			req.Partitions = append(req.Partitions, Partition{Key: key(t, f[0]), Offset: kafka.Offset(offset)})
		}
	}
	x := &w.context
	if err := w.cache.Begin(w.now, req, x); err != nil {
		return "error: " + err.Error() + "\n"
	}
	var results []Result
	for _, p := range x.Partitions {
		name := fmt.Sprintf("%s-%d", p.Topic, p.Partition)
		results = append(results, w.ends[name])
		told := w.ends[name]
		told.Bytes, told.ErrorCode = 0, 0
		w.ends[name] = told
	}
	id, answer, err := w.cache.Finish(w.now, x, results)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "session %d, %d cached\n", id, w.cache.Len())
	for i, p := range x.Partitions {
		if answer == nil || answer[i] {
			fmt.Fprintf(&b, "%s-%d@%d\n", p.Topic, p.Partition, p.Offset)
		}
	}
	return b.String()
}

func key(t *testing.T, s string) Key {
	topic, p, ok := strings.Cut(s, "-")
	n, err := strconv.Atoi(p)
	if !ok || err != nil {
		t.Fatalf("%q: want topic-partition", s)
	}
	return Key{Topic: topic, Partition: int32(n)}
}

func result(t *testing.T, words []string) Result {
	var r Result
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatalf("%q: %v", word, err)
		}
		switch name {
		case "hw":
			r.HighWatermark = kafka.Offset(n)
		case "bytes":
			r.Bytes = n
		case "error":
			r.ErrorCode = int16(n)
		case "log-start":
			r.LogStartOffset = kafka.Offset(n)
		}
	}
	return r
}

func TestEpochsWrapAroundTheReservedOnes(t *testing.T) {
	for e, want := range map[int32]int32{0: 1, 1: 2, 1<<31 - 1: 1, -1: -1} {
		if got := next(e); got != want {
			t.Errorf("next(%d) = %d, want %d", e, got, want)
		}
	}
}
