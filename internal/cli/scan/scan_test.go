package scan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
)

// TestRanges says what each range means for a partition with the offsets 5 to 19, whose records from noon on begin at 12.
func TestRanges(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	key := command.PartitionKey{Topic: "t"}
	at := func(o int64) kadm.ListedOffsets {
		return kadm.ListedOffsets{"t": {0: {Topic: "t", Offset: o}}}
	}
	b := command.Bounds{Starts: at(5), Ends: at(20), From: at(12), To: at(12)}
	datadriven.RunTest(t, "testdata/ranges.txt", func(t *testing.T, d *datadriven.TestData) string {
		var out strings.Builder
		for line := range strings.SplitSeq(d.Input, "\n") {
			w := Want{Follow: d.Cmd == "follow", Topics: []string{"t"}}
			if err := w.Parse(line, now); err != nil {
				fmt.Fprintf(&out, "%s: %v\n", line, err)
				continue
			}
			p := Plan{at: map[command.PartitionKey]*reading{key: {}}}
			if err := p.at[key].resolve(b, w.Span, w.Follow, key); err != nil {
				t.Fatal(err)
			}
			r := p.Ranges()[0]
			fmt.Fprintf(&out, "%s: %d to %d, %d left, follows %v, endless %v, finished %v\n", line, r.From, r.To, p.Left(), w.Follow, w.endless(), p.finished())
		}
		return out.String()
	})
}

func TestWrongWants(t *testing.T) {
	f := func(w Want, want string) {
		t.Helper()
		if err := w.Parse("start", time.Unix(0, 0)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f(Want{Max: -1}, "--max and --timeout")
	f(Want{Timeout: -1}, "--max and --timeout")
	f(Want{Partitions: []int32{0, -1}}, "--partition")
	f(Want{Topics: []string{"a b"}}, "a topic can't have this name")
}

// What has passed counts up to the end of the range and not beyond it.
func TestProgressOfAPlan(t *testing.T) {
	p := Plan{at: map[command.PartitionKey]*reading{{Topic: "t"}: {next: 3, to: 10}, {Topic: "t", Partition: 1}: {next: 0, to: 4}}}
	if p.Left() != 11 || len(p.offsets()["t"]) != 2 {
		t.Fatalf("%d left of %v", p.Left(), p.offsets())
	}
	p.at[command.PartitionKey{Topic: "t"}].passed(12)
	p.at[command.PartitionKey{Topic: "t", Partition: 1}].passed(2)
	if p.Left() != 2 || p.finished() || len(p.offsets()["t"]) != 1 {
		t.Fatalf("%d left of %v", p.Left(), p.offsets())
	}
	p.at[command.PartitionKey{Topic: "t", Partition: 1}].passed(4)
	if p.Left() != 0 || !p.finished() || len(p.offsets()) != 0 {
		t.Fatalf("%d left of %v", p.Left(), p.offsets())
	}
}

// Keep is asked once of every record, and its answers stand in the order of the records.
func TestSiftKeepsTheOrder(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 100, 1001} {
		part := kgo.FetchPartition{}
		for i := range n {
			part.Records = append(part.Records, &kgo.Record{Offset: int64(i)})
		}
		half := n / 2
		fetches := kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: "t", Partitions: []kgo.FetchPartition{
			{Records: part.Records[:half]}, {}, {Records: part.Records[half:]},
		}}}}}
		r := &Reader{Keep: func(r *kgo.Record) bool { return r.Offset%3 == 1 }}
		kept := r.sift(fetches)
		if len(kept) != n {
			t.Fatalf("%d answers for %d records", len(kept), n)
		}
		for i, k := range kept {
			if k != (i%3 == 1) {
				t.Errorf("record %d of %d: %v", i, n, k)
			}
		}
	}
	if (&Reader{}).sift(nil) != nil {
		t.Error("sifts without Keep")
	}
}
