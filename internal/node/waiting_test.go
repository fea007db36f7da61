package node_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/testkit"
)

// TestControllerWaitsForOthers: a controller alone without a majority waits for as long as it takes, and says for whom.
func TestControllerWaitsForOthers(t *testing.T) {
	log := &lockedBuffer{}
	c := testkit.StartCluster(t, 3, testkit.Options{Alone: true, Log: log, Set: []string{"initial.broker.registration.timeout.ms=100"}})
	others := []string{c.Nodes[1].ControllerAddr, c.Nodes[2].ControllerAddr}
	c.StopAll()
	var started sync.WaitGroup
	started.Go(func() { c.Restart(1) })
	testkit.Eventually(t, "the log says who is missing", func() bool {
		text := log.String()
		return strings.Contains(text, "waits for the controllers: no majority of the voters has elected one") &&
			strings.Contains(text, "2@"+others[0]+": connection refused") && strings.Contains(text, "3@"+others[1]+": connection refused")
	})
	c.Restart(2)
	started.Wait()
}

// TestBrokerGivesUp: a broker that finds no controller ends after initial.broker.registration.timeout.ms, and says that.
func TestBrokerGivesUp(t *testing.T) {
	_, err := testkit.TryStart(t, testkit.Options{Set: []string{
		"process.roles=broker", "controller.quorum.voters=7@127.0.0.1:1", "listeners=PLAINTEXT://127.0.0.1:0", "advertised.listeners=PLAINTEXT://127.0.0.1:0",
		"initial.broker.registration.timeout.ms=200",
	}})
	if err == nil || !strings.Contains(err.Error(), "unable to register with the controller quorum within 200ms (initial.broker.registration.timeout.ms)") {
		t.Errorf("%v", err)
	}
}

// TestForeignControllerIsNamed: of three controllers one is of another cluster; it says so of the others, with both ids.
func TestForeignControllerIsNamed(t *testing.T) {
	log := &lockedBuffer{}
	c := testkit.StartCluster(t, 1, testkit.Options{})
	_, err := testkit.TryStart(t, testkit.Options{Log: log, Set: []string{
		"process.roles=broker", "node.id=2", "controller.quorum.voters=1@" + c.Nodes[0].ControllerAddr, "listeners=PLAINTEXT://127.0.0.1:0",
		"advertised.listeners=PLAINTEXT://127.0.0.1:0", "initial.broker.registration.timeout.ms=4000",
	}})
	if err == nil {
		t.Fatal("a broker of another cluster was let in")
	}
	if text := log.String(); !strings.Contains(text, "is of another cluster, "+c.Nodes[0].ClusterID()) || !strings.Contains(text, "a controller is of another cluster than this node's directories") {
		t.Errorf("the log does not say which cluster is which:\n%s", text)
	}
}

// TestWipedStaticVoter: a static voter that has lost what it promised ends with what happened and the way back.
func TestWipedStaticVoter(t *testing.T) {
	log := &lockedBuffer{}
	c := testkit.StartCluster(t, 3, testkit.Options{Log: log})
	c.Nodes[0].Dial().Create("a", 1)
	id := 1
	if leader, _ := c.Nodes[0].ActiveController(); leader == kafka.NodeID(id) {
		id = 2
	}
	c.Stop(id)
	c.Wipe(id, "/data")
	err := c.TryRestart(id)
	for _, words := range []string{"its disk was wiped", "kraft.version=1", "remove-controller", "--no-initial-controllers", "add-controller"} {
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q is not in %v", words, err)
		}
	}
}

// TestSecondBrokerOfAnID: a broker whose id another one holds says so at once, with where that one is, and ends with that.
func TestSecondBrokerOfAnID(t *testing.T) {
	log := &lockedBuffer{}
	c := testkit.StartCluster(t, 1, testkit.Options{})
	own := c.AddBroker().Addr
	err := c.Twin(2, log, "initial.broker.registration.timeout.ms=1000")
	for _, words := range []string{"node.id=2 is that of another broker", "PLAINTEXT://" + own, "within 1s (initial.broker.registration.timeout.ms)"} {
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q is not in %v", words, err)
		}
	}
	if lines := strings.Count(log.String(), "waits, as a broker with this node's id is registered"); lines != 1 {
		t.Errorf("the log says it %d times:\n%s", lines, log)
	}
}
