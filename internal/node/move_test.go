package node_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/testkit"
)

// set changes keys of a resource by IncrementalAlterConfigs; a value of "-" deletes. It fails the test if that is refused.
func set(t *testing.T, c *testkit.Conn, kind kmsg.ConfigResourceType, name string, entries ...string) {
	t.Helper()
	if got := alter(c, kind, name, entries...); got != "NONE" {
		t.Fatalf("%s of %q: %s", entries, name, got)
	}
}

// alter is set that returns the error's name and message.
func alter(c *testkit.Conn, kind kmsg.ConfigResourceType, name string, entries ...string) string {
	res := kmsg.NewIncrementalAlterConfigsRequestResource()
	res.ResourceType, res.ResourceName = kind, name
	for i := 0; i < len(entries); i += 2 {
		e := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		e.Name, e.Value = entries[i], &entries[i+1]
		if entries[i+1] == "-" {
			e.Op, e.Value = kmsg.IncrementalAlterConfigOpDelete, nil
		}
		res.Configs = append(res.Configs, e)
	}
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Resources = append(req.Resources, res)
	r := testkit.Ask[*kmsg.IncrementalAlterConfigsResponse](c, req, 1).Resources[0]
	if r.ErrorMessage != nil && *r.ErrorMessage != "" {
		return testkit.Code(r.ErrorCode) + ": " + *r.ErrorMessage
	}
	return testkit.Code(r.ErrorCode)
}

// moveTo asks for a replica to be moved.
func moveTo(c *testkit.Conn, topic string, partition int32, dir string) string {
	topics := kmsg.NewAlterReplicaLogDirsRequestDirTopic()
	topics.Topic, topics.Partitions = topic, []int32{partition}
	dirs := kmsg.NewAlterReplicaLogDirsRequestDir()
	dirs.Dir, dirs.Topics = dir, append(dirs.Topics, topics)
	req := kmsg.NewPtrAlterReplicaLogDirsRequest()
	req.Dirs = append(req.Dirs, dirs)
	return testkit.Code(testkit.Ask[*kmsg.AlterReplicaLogDirsResponse](c, req, 2).Topics[0].Partitions[0].ErrorCode)
}

// replicas lists where the replicas are, the future ones with how much they lack.
func replicas(c *testkit.Conn) []string {
	var all []string
	for _, d := range testkit.Ask[*kmsg.DescribeLogDirsResponse](c, kmsg.NewPtrDescribeLogDirsRequest(), 4).Dirs {
		for _, t := range d.Topics {
			for _, p := range t.Partitions {
				line := fmt.Sprintf("%s %s-%d", d.Dir, t.Topic, p.Partition)
				if p.IsFuture {
					line += fmt.Sprintf(" future, lacks %d", p.OffsetLag)
				}
				all = append(all, line)
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestReplicasMoveBetweenDirectories moves a replica as kafka-reassign-partitions does on one node: throttled at first, then not.
func TestReplicasMoveBetweenDirectories(t *testing.T) {
	n := testkit.Start(t, testkit.Options{Dirs: []string{"/one", "/two"}, Set: []string{"broker.heartbeat.interval.ms=20"}})
	c := n.Dial()
	c.Create("t", 1)
	for i := range 10 {
		c.MustProduce("t", 0, testkit.BatchOf(1000, fmt.Sprint("value ", i)))
	}
	from, to := "/one", "/two"
	if slices.Contains(n.Names("/two"), "t-0") {
		from, to = to, from
	}
	set(t, c, kmsg.ConfigResourceTypeBroker, "1", "replica.alter.log.dirs.io.max.bytes.per.second", "0")
	if got := moveTo(c, "t", 0, to); got != "NONE" {
		t.Fatal(got)
	}
	want := []string{from + " t-0", to + " t-0 future, lacks 10"}
	slices.Sort(want)
	if got := replicas(c); !slices.Equal(got, want) {
		t.Fatalf("held up: %q", got)
	}
	set(t, c, kmsg.ConfigResourceTypeBroker, "1", "replica.alter.log.dirs.io.max.bytes.per.second", "-")
	testkit.Eventually(t, "the replica is moved", func() bool { return slices.Equal(replicas(c), []string{to + " t-0"}) })
	if got := c.Read("t", 0, 0); len(got) != 10 {
		t.Errorf("read %q", got)
	}
	c.MustProduce("t", 0, testkit.BatchOf(1000, "after"))
	n.Stop()
	n = testkit.Start(t, testkit.Options{FS: n.FS, Dirs: []string{"/one", "/two"}})
	c = n.Dial()
	if got := replicas(c); !slices.Equal(got, []string{to + " t-0"}) || len(c.Read("t", 0, 0)) != 11 {
		t.Errorf("after a restart: %q", got)
	}
	for _, f := range []struct{ topic, dir, want string }{
		{"t", "/three", "LOG_DIR_NOT_FOUND"}, {"t", to + "/", "LOG_DIR_NOT_FOUND"}, {"none", from, "UNKNOWN_TOPIC_OR_PARTITION"}, {"t", to, "NONE"},
	} {
		if got := moveTo(c, f.topic, 0, f.dir); got != f.want {
			t.Errorf("%s to %s: %s", f.topic, f.dir, got)
		}
	}
	c.Create("none", 1)
	if got := replicas(c); !slices.Contains(got, from+" none-0") {
		t.Errorf("a topic whose directory was chosen before: %q", got)
	}
}
