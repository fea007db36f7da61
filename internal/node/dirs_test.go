package node_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
)

var errDisk = errors.New("input/output error")

// within is a hook that fails whatever changes anything below dir.
func failsWithin(dir string) vfs.Hook {
	return func(op vfs.Op) error {
		if op.Changes() && strings.HasPrefix(op.Name, dir+"/") {
			return errDisk
		}
		return nil
	}
}

// logDirs asks for the log directories: topic-partitions by path, or the error's name.
func logDirs(c *testkit.Conn) map[string]string {
	resp := testkit.Ask[*kmsg.DescribeLogDirsResponse](c, kmsg.NewPtrDescribeLogDirsRequest(), 4)
	all := map[string]string{}
	for _, d := range resp.Dirs {
		var topics []string
		for _, topic := range d.Topics {
			topics = append(topics, topic.Topic)
		}
		slices.Sort(topics)
		all[d.Dir] = strings.Join(topics, " ")
		if d.ErrorCode != 0 {
			all[d.Dir] = testkit.Code(d.ErrorCode)
		}
	}
	return all
}

// leaderOf is what Metadata says of partition 0: the leader, and who is offline.
func leaderOf(t *testing.T, c *testkit.Conn, topic string) (leader int32, offline []int32) {
	t.Helper()
	req := kmsg.NewPtrMetadataRequest()
	m := kmsg.NewMetadataRequestTopic()
	m.Topic = &topic
	req.Topics = append(req.Topics, m)
	resp := testkit.Ask[*kmsg.MetadataResponse](c, req, 12)
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		t.Fatalf("metadata of %s: %+v", topic, resp.Topics)
	}
	p := resp.Topics[0].Partitions[0]
	return p.Leader, p.OfflineReplicas
}

// twoDirs starts a node with two directories and one topic in each; the first holds the metadata log too.
func twoDirs(t *testing.T) (n *testkit.Node, disk *vfs.Faulty, inFirst, inSecond string) {
	t.Helper()
	disk = vfs.NewFaulty(vfs.NewMem(), nil)
	n = testkit.Start(t, testkit.Options{FS: disk, Dirs: []string{"/one", "/two"}, Set: []string{"broker.heartbeat.interval.ms=20"}})
	c := n.Dial()
	for _, topic := range []string{"a", "b", "c", "d"} {
		c.Create(topic, 1)
		c.MustProduce(topic, 0, testkit.BatchOf(1, topic))
	}
	dirs := logDirs(c)
	if dirs["/one"] == "" || dirs["/two"] == "" {
		t.Fatalf("topics are not spread over the directories: %v", dirs)
	}
	// The broker tells where it has put a replica some time later. Before that a directory that fails is no reason to elect anybody.
	testkit.Eventually(t, "the controller knows where all replicas are", func() bool {
		image, err := metalog.Load(disk, "/one/__cluster_metadata-0")
		if err != nil {
			return false
		}
		for topic := range image.Topics.All() {
			for _, p := range topic.Partitions {
				if dir, _ := p.Directory(1); dir == kafka.UnassignedDirectory {
					return false
				}
			}
		}
		return true
	})
	return n, disk, strings.Fields(dirs["/one"])[0], strings.Fields(dirs["/two"])[0]
}

func TestFailingDirectoryGoesOfflineAlone(t *testing.T) {
	n, disk, good, bad := twoDirs(t)
	c := n.Dial()
	disk.SetHook(failsWithin("/two"))
	if got := testkit.Code(c.Produce(bad, 0, testkit.BatchOf(1, "lost")).ErrorCode); got != kerr.KafkaStorageError.Message {
		t.Errorf("an append to the failed disk gives %s", got)
	}
	if got := testkit.Code(c.Fetch(bad, 0, 0).ErrorCode); got != kerr.KafkaStorageError.Message {
		t.Errorf("a read from the failed disk gives %s", got)
	}
	c.MustProduce(good, 0, testkit.BatchOf(1, "kept"))
	if got := c.Read(good, 0, 0); len(got) != 2 {
		t.Errorf("the good directory reads %q", got)
	}
	if got := logDirs(c); got["/two"] != kerr.KafkaStorageError.Message {
		t.Errorf("DescribeLogDirs says %v", got)
	}
	testkit.Eventually(t, "the partition has no leader", func() bool {
		leader, offline := leaderOf(t, c, bad)
		return leader == -1 && slices.Equal(offline, []int32{1})
	})
	if leader, _ := leaderOf(t, c, good); leader != 1 {
		t.Errorf("the partition of the good directory has leader %d", leader)
	}
	for _, topic := range []string{"e", "f"} {
		c.Create(topic, 1)
		c.MustProduce(topic, 0, testkit.BatchOf(1, topic))
	}
	select {
	case err := <-n.Failed():
		t.Errorf("the node failed: %v", err)
	default:
	}
	n.Abandon()
	disk.SetHook(nil)
	n = testkit.Start(t, testkit.Options{FS: disk, Dirs: []string{"/one", "/two"}})
	c = n.Dial()
	for topic, want := range map[string][]string{bad: {"0=" + bad}, good: {"0=" + good, "1=kept"}, "e": {"0=e"}} {
		if got := c.Read(topic, 0, 0); !slices.Equal(got, want) {
			t.Errorf("after the repair %s reads %q, want %q", topic, got, want)
		}
	}
}

// A directory that is out of reach at the start is no reason to make its partitions anew elsewhere: they are offline
// until it is back.
func TestUnreadableDirectoryAtStartIsOffline(t *testing.T) {
	n, disk, good, bad := twoDirs(t)
	n.Stop()
	disk.SetHook(func(op vfs.Op) error {
		if op.Name == "/two" || strings.HasPrefix(op.Name, "/two/") {
			return errDisk
		}
		return nil
	})
	n, err := testkit.Open(t, testkit.Options{FS: disk, Dirs: []string{"/one", "/two"}})
	if err != nil {
		t.Fatal(err)
	}
	c := n.Dial()
	if got := c.Read(good, 0, 0); !slices.Equal(got, []string{"0=" + good}) {
		t.Errorf("the good directory reads %q", got)
	}
	if leader, offline := leaderOf(t, c, bad); leader != -1 || !slices.Equal(offline, []int32{1}) {
		t.Errorf("the partition out of reach has leader %d, offline replicas %v", leader, offline)
	}
	if got := testkit.Code(c.Produce(bad, 0, testkit.BatchOf(1, "x")).ErrorCode); got != kerr.KafkaStorageError.Message {
		t.Errorf("an append to a partition out of reach gives %s", got)
	}
	if got := testkit.Code(c.Fetch(bad, 0, 0).ErrorCode); got != kerr.KafkaStorageError.Message {
		t.Errorf("a read of a partition out of reach gives %s", got)
	}
	if got := logDirs(c); got["/two"] != kerr.KafkaStorageError.Message {
		t.Errorf("DescribeLogDirs says %v", got)
	}
	n.Abandon()
	disk.SetHook(nil)
	n = testkit.Start(t, testkit.Options{FS: disk, Dirs: []string{"/one", "/two"}})
	if got := n.Dial().Read(bad, 0, 0); !slices.Equal(got, []string{"0=" + bad}) {
		t.Errorf("when the directory is back it reads %q", got)
	}
}

func TestLastDirectoryEndsTheNode(t *testing.T) {
	disk := vfs.NewFaulty(vfs.NewMem(), nil)
	n := testkit.Start(t, testkit.Options{FS: disk})
	c := n.Dial()
	c.Create("a", 1)
	disk.SetHook(failsWithin("/data/a-0"))
	if got := testkit.Code(c.Produce("a", 0, testkit.BatchOf(1, "x")).ErrorCode); got != kerr.KafkaStorageError.Message {
		t.Errorf("an append to the failed disk gives %s", got)
	}
	err := <-n.Failed()
	if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "/data") || strings.Contains(err.Error(), "\n") {
		t.Errorf("the node failed by %q", err)
	}
	n.Abandon()
}

func TestFailingMetadataLogEndsTheNode(t *testing.T) {
	disk := vfs.NewFaulty(vfs.NewMem(), nil)
	n := testkit.Start(t, testkit.Options{FS: disk, Dirs: []string{"/one", "/two"}})
	c := n.Dial()
	disk.SetHook(failsWithin("/one/__cluster_metadata-0"))
	req := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = "a", 1, 1
	req.Topics = append(req.Topics, topic)
	c.Send(req, 7)
	if err := <-n.Failed(); !errors.Is(err, errDisk) {
		t.Errorf("the node failed by %v", err)
	}
	n.Abandon()
}

// A full disk refuses the write and nothing else; when there is space again, writes go on.
func TestFullDiskRefusesWritesOnly(t *testing.T) {
	disk := vfs.NewFaulty(vfs.NewMem(), nil)
	n := testkit.Start(t, testkit.Options{FS: disk})
	c := n.Dial()
	c.Create("a", 1)
	c.MustProduce("a", 0, testkit.BatchOf(1, "0"))
	disk.SetHook(func(op vfs.Op) error {
		if op.Kind == vfs.OpWrite && strings.HasPrefix(op.Name, "/data/a-0/") {
			return vfs.ErrNoSpace
		}
		return nil
	})
	if got := testkit.Code(c.Produce("a", 0, testkit.BatchOf(1, "no")).ErrorCode); got != kerr.KafkaStorageError.Message {
		t.Errorf("an append to the full disk gives %s", got)
	}
	if got := c.Read("a", 0, 0); !slices.Equal(got, numbered(1)) {
		t.Errorf("with a full disk it reads %q", got)
	}
	disk.SetHook(nil)
	c.MustProduce("a", 0, testkit.BatchOf(1, "1"))
	if got := c.Read("a", 0, 0); !slices.Equal(got, numbered(2)) {
		t.Errorf("with space again it reads %q", got)
	}
}
