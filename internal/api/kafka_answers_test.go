package api_test

import (
	"os"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/test/wire/script"
)

// The script of package script is played against a node in this process, and every answer compared with the one that
// Apache Kafka 4.4.0 gave to the same request. docs/deviations.md lists what may differ.
func TestKafkaAnswers(t *testing.T) {
	deviations, err := os.ReadFile("../../docs/deviations.md")
	if err != nil {
		t.Fatal(err)
	}
	n := testkit.Start(t, testkit.Options{Set: []string{"controller.quorum.append.linger.ms=0"}})
	result, err := script.Replay(t.Context(), script.Target{
		Broker: n.Addr, Controller: n.ControllerAddr, Dirs: []string{"/data"}, ClusterID: n.ClusterID(), NodeID: 1,
	}, script.Options{}, string(deviations))
	if err != nil {
		t.Fatal(err)
	}
	var report strings.Builder
	result.Write(&report)
	if !result.OK() {
		t.Errorf("differs from Apache Kafka:\n%s", report.String())
	}
	t.Logf("%d answers are equal, %d with listed deviations, of %d", result.Equal, result.Deviating, result.Total)
}
