package node_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
)

// TestDataIsLostBesideTheMetadata: a node whose metadata log has a directory of its own has no partitions there, stays a voter when its data is gone,
// and gets that back from the others.
func TestDataIsLostBesideTheMetadata(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{Set: []string{"metadata.log.dir=/meta", "default.replication.factor=3", "min.insync.replicas=2"}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := c.Client(kgo.RequiredAcks(kgo.AllISRAcks()), kgo.DefaultProduceTopic("t"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	adm := kadm.NewClient(client)
	if _, err := adm.CreateTopic(ctx, 3, 3, nil, "t"); err != nil {
		t.Fatal(err)
	}
	produce := func() {
		t.Helper()
		for i := range int32(20) {
			if err := client.ProduceSync(ctx, &kgo.Record{Partition: i % 3, Value: []byte("x")}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for id := range 3 {
		produce()
		n := c.Nodes[id]
		if got := logDirs(n.Dial()); len(got) != 1 || got["/data"] == "" {
			t.Fatalf("node %d has directories %v", id+1, got)
		}
		c.Stop(id + 1)
		for dir, want := range map[string]bool{"/meta": true, "/data": false} {
			names := n.Names(dir)
			if slices.Contains(names, "__cluster_metadata-0") != want || slices.Contains(names, "t-0") == want || !slices.Contains(names, checkpoint.CleanShutdown) {
				t.Errorf("node %d has %q in %s", id+1, names, dir)
			}
		}
		produce()
		c.Wipe(id+1, "/data")
		c.Restart(id + 1)
		testkit.Eventually(t, "all are in sync again", func() bool {
			topics, err := adm.ListTopics(ctx, "t")
			return err == nil && !slices.ContainsFunc(topics["t"].Partitions.Sorted(), func(p kadm.PartitionDetail) bool { return len(p.ISR) < 3 || p.Leader < 0 })
		})
	}
	produce()
	c.StopAll()
	for _, folder := range []string{"t-0", "t-1", "t-2"} {
		for id := 2; id <= 3; id++ {
			if want, got := c.Log(1, folder), c.Log(id, folder); !bytes.Equal(got, want) {
				t.Errorf("%s: node %d has %d bytes, node 1 %d, or they differ", folder, id, len(got), len(want))
			}
		}
	}
}

// TestDataFailsBesideTheMetadata: the failure of a data directory leaves the others and the metadata log as they are, and that of the last one ends the node.
func TestDataFailsBesideTheMetadata(t *testing.T) {
	disk := vfs.NewFaulty(vfs.NewMem(), nil)
	n := testkit.Start(t, testkit.Options{FS: disk, Dirs: []string{"/one", "/two"}, Set: []string{"metadata.log.dir=/meta", "broker.heartbeat.interval.ms=20"}})
	c := n.Dial()
	place := func(topics ...string) map[string]string {
		for _, topic := range topics {
			c.Create(topic, 1)
			c.MustProduce(topic, 0, testkit.BatchOf(1, topic))
		}
		return logDirs(c)
	}
	dirs := place("a", "b", "c", "d")
	if len(dirs) != 2 || dirs["/one"] == "" || dirs["/two"] == "" {
		t.Fatalf("topics are in %v", dirs)
	}
	disk.SetHook(failsWithin("/two"))
	if got := testkit.Code(c.Produce(strings.Fields(dirs["/two"])[0], 0, testkit.BatchOf(1, "lost")).ErrorCode); got != kerr.KafkaStorageError.Message {
		t.Errorf("an append to the failed disk gives %s", got)
	}
	if got := place("e", "f"); got["/two"] != kerr.KafkaStorageError.Message || !strings.HasSuffix(got["/one"], "e f") {
		t.Errorf("DescribeLogDirs says %v", got)
	}
	disk.SetHook(func(op vfs.Op) error {
		if strings.HasPrefix(op.Name, "/meta/") {
			return nil
		}
		return errDisk
	})
	c.Produce("e", 0, testkit.BatchOf(1, "lost"))
	select {
	case err := <-n.Failed():
		if !strings.Contains(err.Error(), "there is no other") {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("a node without any directory goes on")
	}
	n.Abandon()
}
