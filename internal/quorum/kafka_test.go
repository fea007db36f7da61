package quorum

import (
	"os"
	"path"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/vfs"
)

// TestKafkaFolder opens what Apache Kafka 4.4.0 left behind after it was formatted with a SCRAM user, created a topic
// with a configuration, deleted another, set a quota and a cluster default, and was stopped: with static voters, and
// with the voters in the log. The state, our snapshot of it, and a restart all say the same.
func TestKafkaFolder(t *testing.T) {
	for _, kind := range []string{"static", "dynamic"} {
		t.Run(kind, func(t *testing.T) {
			datadriven.RunTest(t, filepath.Join("testdata", "kafka-"+kind+".txt"), func(t *testing.T, d *datadriven.TestData) string {
				fs := vfs.NewMem()
				cfg := testConfig(fs, "/data")
				copyFolder(t, fs, cfg.Dir, filepath.Join("testdata", "kafka-"+kind))
				if kind == "dynamic" {
					cfg.Voters, cfg.Directory = nil, directoryIn(t, fs, cfg.Dir)
				}
				e, err := Open(cfg)
				if err != nil {
					t.Fatal(err)
				}
				state := dump(e.Image())
				n := start(t, e)
				if leader, epoch := n.lead(); leader != 1 || epoch != 2 {
					t.Fatalf("leader %d of epoch %d", leader, epoch)
				}
				checkSnapshot(t, n)
				n.create("more")
				n.close()
				again, err := Open(cfg)
				if err != nil {
					t.Fatal(err)
				}
				if again.Image().Topics.ByName("foo") == nil {
					t.Fatal("a topic was lost")
				}
				return state
			})
		})
	}
}

// directoryIn is the directory of the voter that a folder was formatted for.
func directoryIn(t *testing.T, fs vfs.FS, dir string) kafka.UUID {
	t.Helper()
	_, members, err := metalog.ReadBootstrap(fs, dir)
	if err != nil || len(members.Set) != 1 {
		t.Fatalf("%+v, %v", members, err)
	}
	return members.Set[0].Directory
}

// lead joins, which takes an active controller, and says who leads.
func (n *node) lead() (kafka.NodeID, kafka.LeaderEpoch) {
	n.t.Helper()
	n.join()
	return n.Leader()
}

// checkSnapshot writes the state as a snapshot and loads it.
func checkSnapshot(t *testing.T, n *node) {
	t.Helper()
	fs := vfs.NewMem()
	image := n.Image()
	if err := vfs.MkdirAll(fs, "/s"); err != nil {
		t.Fatal(err)
	}
	id := SnapshotID{EndOffset: image.End(), Epoch: image.Epoch}
	if err := metalog.WriteSnapshot(fs, "/s", id, 1, 2, n.members.Last().Voters, image.Records); err != nil {
		t.Fatal(err)
	}
	loaded, members, err := metalog.LoadSnapshot(fs, "/s", id)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := dump(loaded), dump(image); got != want {
		t.Fatalf("the snapshot says\n%s\nwant\n%s", got, want)
	}
	if members.KRaft > 0 && len(members.Set) != 1 {
		t.Fatalf("the snapshot has voters %+v", members)
	}
}

func copyFolder(t *testing.T, fs vfs.FS, dir, from string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := vfs.MkdirAll(fs, dir); err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(from, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := vfs.WriteFile(fs, path.Join(dir, entry.Name()), content); err != nil {
			t.Fatal(err)
		}
	}
}
