package node_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/testkit"
)

const (
	topicConfig  = kmsg.ConfigResourceTypeTopic
	brokerConfig = kmsg.ConfigResourceTypeBroker
)

// TestDynamicDefaultsOfTopics changes a topic's default for all brokers, for this one, and for the topic, and takes each back: the next
// produce knows.
func TestDynamicDefaultsOfTopics(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("t", 1)
	batch := testkit.BatchOf(1000, strings.Repeat("x", 1000))
	check := func(what, want string) {
		t.Helper()
		if got := testkit.Code(c.Produce("t", 0, batch).ErrorCode); got != want {
			t.Errorf("%s: %s", what, got)
		}
	}
	check("at first", "NONE")
	set(t, c, brokerConfig, "", "message.max.bytes", "500")
	check("all brokers", "MESSAGE_TOO_LARGE")
	set(t, c, brokerConfig, "1", "message.max.bytes", "5000")
	check("this broker", "NONE")
	set(t, c, topicConfig, "t", "max.message.bytes", "600")
	check("the topic", "MESSAGE_TOO_LARGE")
	set(t, c, topicConfig, "t", "max.message.bytes", "-")
	check("the topic no more", "NONE")
	set(t, c, brokerConfig, "1", "message.max.bytes", "-")
	check("this broker no more", "MESSAGE_TOO_LARGE")
	n.Stop()
	n = testkit.Start(t, testkit.Options{FS: n.FS})
	c = n.Dial()
	check("after a restart", "MESSAGE_TOO_LARGE")
	set(t, c, brokerConfig, "", "message.max.bytes", "-")
	check("all brokers no more", "NONE")
}

// open reports whether a new connection is served within d.
func open(t *testing.T, addr string, d time.Duration) bool {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if _, err := nc.Write(testkit.Frame(kmsg.NewPtrApiVersionsRequest(), 0, 1)); err != nil {
		return false
	}
	if err := nc.SetReadDeadline(time.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
	_, err = nc.Read(make([]byte, 1))
	return err == nil
}

const (
	soon = 20 * time.Second
	held = 100 * time.Millisecond // for what must not come
)

func TestConnectionLimitsChange(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	defer c.Close()
	c.Create("t", 1) // the connection is counted
	set(t, c, brokerConfig, "1", "max.connections.per.ip", "2")
	if !open(t, n.Addr, soon) || open(t, n.Addr, soon) {
		t.Error("max.connections.per.ip does not act")
	}
	set(t, c, brokerConfig, "", "max.connections.per.ip.overrides", "127.0.0.1:3,10.0.0.1:1")
	if !open(t, n.Addr, soon) || open(t, n.Addr, soon) {
		t.Error("max.connections.per.ip.overrides does not act")
	}
	set(t, c, brokerConfig, "1", "max.connections.per.ip", "-")
	set(t, c, brokerConfig, "", "max.connections.per.ip.overrides", "-")
	if !open(t, n.Addr, soon) {
		t.Error("the limits are not gone")
	}
	set(t, c, brokerConfig, "1", "max.connections", "4")
	if open(t, n.Addr, held) {
		t.Error("max.connections does not act")
	}
	set(t, c, brokerConfig, "1", "max.connections", "-")
	if !open(t, n.Addr, soon) {
		t.Error("max.connections is not gone")
	}
	set(t, c, brokerConfig, "1", "listener.name.plaintext.max.connections", "1")
	if open(t, n.Addr, held) {
		t.Error("listener.name.plaintext.max.connections does not act")
	}
	set(t, c, brokerConfig, "1", "listener.name.plaintext.max.connections", "-")
	set(t, c, brokerConfig, "1", "max.connection.creation.rate", "0")
	if open(t, n.Addr, held) {
		t.Error("max.connection.creation.rate does not act")
	}
	set(t, c, brokerConfig, "1", "max.connection.creation.rate", "1000")
	if !open(t, n.Addr, soon) {
		t.Error("max.connection.creation.rate is not gone")
	}
}

func TestCordonedDirectories(t *testing.T) {
	n := testkit.Start(t, testkit.Options{Dirs: []string{"/one", "/two"}, Set: []string{"broker.heartbeat.interval.ms=20"}})
	c := n.Dial()
	set(t, c, brokerConfig, "1", "cordoned.log.dirs", "/two")
	cordoned := func() (all string) {
		for _, d := range testkit.Ask[*kmsg.DescribeLogDirsResponse](c, kmsg.NewPtrDescribeLogDirsRequest(), 5).Dirs {
			if d.IsCordoned {
				all += d.Dir
			}
		}
		return all
	}
	testkit.Eventually(t, "/two is cordoned", func() bool { return cordoned() == "/two" })
	c.Create("t", 3)
	if got := replicas(c); len(got) != 3 || strings.Contains(strings.Join(got, " "), "/two") {
		t.Errorf("%q", got)
	}
	if got := moveTo(c, "t", 0, "/two"); got != "INVALID_REPLICA_ASSIGNMENT" {
		t.Errorf("a move to it: %s", got)
	}
	if got := alter(c, brokerConfig, "1", "cordoned.log.dirs", "/three"); !strings.HasPrefix(got, "INVALID_REQUEST") {
		t.Error(got)
	}
	set(t, c, brokerConfig, "1", "cordoned.log.dirs", "-")
	testkit.Eventually(t, "none is cordoned", func() bool { return cordoned() == "" })
	if got := moveTo(c, "t", 0, "/two"); got != "NONE" {
		t.Errorf("a move to it later: %s", got)
	}
}
