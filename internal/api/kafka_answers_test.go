package api_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/test/wire/script"
)

// differing lists the cases, "API case", in which we are known to differ from Kafka without meaning to: defects that
// wait to be mended. The list only shrinks; go test ./internal/api -run KafkaAnswers -mended takes off what is done.
// What differs on purpose is in docs/deviations.md.
const differing = "testdata/kafka_differs.txt"

var mended = flag.Bool("mended", false, "take cases that no longer differ off "+differing)

// The script of package script is played against nodes in this process, and every answer compared with the one that
// Apache Kafka 4.4.0 gave to the same request.
func TestKafkaAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of requests: left out by -short")
	}
	deviations, err := os.ReadFile("../../docs/deviations.md")
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := script.Recording(script.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := &cases{known: knownDifferences(t)}
	t.Run("api", func(t *testing.T) {
		played := map[string]bool{}
		for _, e := range recorded {
			if played[e.API] {
				continue
			}
			played[e.API] = true
			t.Run(e.API, func(t *testing.T) {
				t.Parallel()
				replay(t, e.API, string(deviations), seen)
			})
		}
	})
	seen.finish(t)
}

func replay(t *testing.T, api, deviations string, seen *cases) {
	n := testkit.Start(t, testkit.Options{Set: script.Settings})
	result, err := script.Replay(t.Context(), script.Target{
		Broker: n.Addr, Controller: n.ControllerAddr, Dirs: []string{"/data"}, ClusterID: n.ClusterID(), NodeID: 1,
	}, script.Options{Only: regexp.MustCompile("^" + regexp.QuoteMeta(api) + "$")}, deviations)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range result.Differences {
		if !d.Listed && seen.differs(d.API+" "+d.Case) {
			t.Error(d)
		}
	}
	t.Logf("%d equal, %d deviating, of %d", result.Equal, result.Deviating, result.Total)
}

// cases is what differed in this run.
type cases struct {
	known []string // sorted

	mu  sync.Mutex // guards now
	now []string
}

func knownDifferences(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(differing)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
	slices.Sort(known)
	return known
}

// differs notes a case that differs, and reports whether that is news.
func (c *cases) differs(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = append(c.now, name)
	_, known := slices.BinarySearch(c.known, name)
	return !known
}

func (c *cases) finish(t *testing.T) {
	slices.Sort(c.now)
	left := slices.DeleteFunc(slices.Clone(c.known), func(name string) bool {
		_, differs := slices.BinarySearch(c.now, name)
		return !differs
	})
	t.Logf("%d cases differ, %d of them are known; %d known ones are mended", len(slices.Compact(c.now)), len(left), len(c.known)-len(left))
	if !*mended {
		return
	}
	if err := os.WriteFile(differing, []byte(fmt.Sprintln(strings.Join(left, "\n"))), 0o644); err != nil {
		t.Fatal(err)
	}
}
