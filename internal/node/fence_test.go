package node_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/testkit"
)

// TestKilledBrokerOfControllersAlone: controllers that are no brokers fence one whose process has ended at once, whatever the names of its listeners, which
// their configuration need not know.
func TestKilledBrokerOfControllersAlone(t *testing.T) {
	for name, set := range map[string][]string{
		"the name by default": {},
		"a name of its own": {
			"listener.security.protocol.map=CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT", "inter.broker.listener.name=INSIDE",
			"listeners=INSIDE://127.0.0.1:0", "advertised.listeners=INSIDE://127.0.0.1:0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			log := &lockedBuffer{}
			c := testkit.StartCluster(t, 1, testkit.Options{Alone: true, Log: log, Set: []string{"broker.heartbeat.interval.ms=20000", "broker.session.timeout.ms=60000"}})
			c.AddBroker(set...)
			c.Kill(2)
			began := time.Now()
			testkit.Eventually(t, "the broker is fenced", func() bool { return c.Nodes[0].Image().Cluster.Broker(2).Fenced })
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("the end of a broker was noticed after %v", took)
			}
			if !strings.Contains(log.String(), `msg="a broker is gone and is fenced" broker=2`) {
				t.Errorf("the log does not say so:\n%s", log)
			}
		})
	}
}

// TestSessionEndIsLogged: a broker that stands still is fenced at the end of its session, with a line that says so.
func TestSessionEndIsLogged(t *testing.T) {
	log := &lockedBuffer{}
	n := testkit.Start(t, testkit.Options{Log: log, Set: []string{"broker.heartbeat.interval.ms=50", "broker.session.timeout.ms=500"}})
	broker := n.DialController()
	registered := testkit.Ask[*kmsg.BrokerRegistrationResponse](broker, registration(9, n.ClusterID()), 4)
	beat := kmsg.NewPtrBrokerHeartbeatRequest()
	beat.BrokerID, beat.BrokerEpoch, beat.CurrentMetadataOffset = 9, registered.BrokerEpoch, registered.BrokerEpoch
	if resp := testkit.Ask[*kmsg.BrokerHeartbeatResponse](broker, beat, 1); resp.ErrorCode != 0 || resp.IsFenced {
		t.Fatalf("%+v", resp)
	}
	testkit.Eventually(t, "the broker is fenced", func() bool { return n.Image().Cluster.Broker(9).Fenced })
	if !strings.Contains(log.String(), "a broker is fenced, as nothing was heard from it for broker.session.timeout.ms\" broker=9") {
		t.Errorf("the log does not say so:\n%s", log)
	}
}
