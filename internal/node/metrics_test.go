package node_test

import (
	"flag"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/node"
	"github.com/ottla/ottla/internal/testkit"
)

//go:generate go test -run ^TestMetricsPageIsFresh$ . -write-metrics

var writeMetrics = flag.Bool("write-metrics", false, "write docs/operate/metrics.md instead of comparing it")

func get(t *testing.T, n *testkit.Node, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + n.MetricsAddress() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %s: %q, %v", path, resp.Status, b, err)
	}
	return string(b)
}

func TestMetrics(t *testing.T) {
	n := testkit.Start(t, testkit.Options{Set: []string{"ottla.metrics.listener=127.0.0.1:0"}})
	c := n.Dial()
	c.Create("t", 2)
	batch := testkit.BatchOf(1000, "a", "b", "c")
	for range 2 {
		c.MustProduce("t", 1, batch)
	}
	c.Fetch("t", 1, 0)
	c.Produce("none", 0, batch)
	for path, lines := range map[string][]string{
		"/metrics": {
			"ottla_ready 1", `ottla_requests_total{api="Produce"} 3`, "ottla_records_in_total 6",
			"ottla_batches_in_total 2", "ottla_produce_errors_total 1", "ottla_partitions_led 2", "ottla_connections 1", "ottla_topics 1",
			`ottla_log_directory_online{dir="/data"} 1`, "ottla_controller_active 1",
		},
		"/metrics/detail": {`ottla_partition_log_end_offset{topic="t",partition="1"} 6`, `ottla_partition_log_bytes{topic="t",partition="0"} 0`},
		"/metrics/kafka":  {"kafka_server_brokertopicmetrics_messagesin_total 6", "kafka_server_replicamanager_leadercount 2"},
		"/readyz?verbose": {`{"checks":[{"name":"serving","ready":true},{"name":"unfenced","ready":true}],"ready":true}`},
		"/livez":          {"ok"},
	} {
		got := "\n" + get(t, n, path)
		for _, line := range lines {
			if !strings.Contains(got, "\n"+line+"\n") {
				t.Errorf("%s lacks %s", path, line)
			}
		}
	}
	testkit.Eventually(t, "the handlers' times", func() bool {
		return strings.Contains(get(t, n, "/metrics"), `ottla_request_handling_seconds_count{api="Produce"} 3`)
	})
	if out := regexp.MustCompile(`ottla_bytes_out_total (\d+)`).FindStringSubmatch(get(t, n, "/metrics")); len(out) != 2 || out[1] == "0" {
		t.Errorf("bytes out: %q", out)
	}
	resp, err := http.Get("http://" + n.MetricsAddress() + "/debug/pprof/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("profiles are shown: %s", resp.Status)
	}
}

// TestMetricsAreOff by default: there is no such listener.
func TestMetricsAreOff(t *testing.T) {
	if n := testkit.Start(t, testkit.Options{}); n.MetricsAddress() != "" {
		t.Error(n.MetricsAddress())
	}
	if _, err := testkit.TryStart(t, testkit.Options{Listen: func(string) error { return nil }, Set: []string{"ottla.metrics.listener=127.0.0.1:0", "ottla.metrics.pprof.enable=true"}}); err != nil {
		t.Error(err)
	}
}

// TestMetricsPageIsFresh holds the page of metrics to what a node tells.
func TestMetricsPageIsFresh(t *testing.T) {
	const page = "../../docs/operate/metrics.md"
	want := node.MetricsPage()
	if *writeMetrics {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != want {
		t.Errorf("%s is stale: go generate ./internal/node", page)
	}
}
