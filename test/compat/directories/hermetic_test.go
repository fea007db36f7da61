package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ottla/ottla/internal/inspect"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
)

// unpack puts a directory that Kafka left (see golden.go) under /data of a disk in memory.
func unpack(t *testing.T, name string) *vfs.Mem {
	t.Helper()
	disk := vfs.NewMem()
	unpackTo(t, name, disk, "/data")
	return disk
}

func unpackTo(t *testing.T, name string, disk vfs.FS, dir string) {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join("testdata", name+".tar.zst"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		var b []byte
		if err == nil {
			b, err = io.ReadAll(r)
		}
		file := path.Join(dir, h.Name)
		if err = errors.Join(err, vfs.MkdirAll(disk, path.Dir(file)), vfs.WriteFile(disk, file, b)); err != nil {
			t.Fatal(err)
		}
	}
}

// contents is every file below a folder, by name.
func contents(t *testing.T, disk vfs.FS, dir string) string {
	t.Helper()
	entries, err := disk.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, e := range entries {
		name := path.Join(dir, e.Name)
		if e.Dir {
			all.WriteString(contents(t, disk, name))
			continue
		}
		b, err := vfs.ReadFile(disk, name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %q\n", name, b)
	}
	return all.String()
}

// TestOpensWhatKafkaLeft: a node shows the records that Kafka showed, takes more, and shows all of them after a restart.
func TestOpensWhatKafkaLeft(t *testing.T) {
	for _, name := range []string{"kafka-4.4", "kafka-4.4-killed", "kafka-3.9", "kafka-3.9-killed"} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			var want told
			if err := json.Unmarshal(b, &want); err != nil {
				t.Fatal(err)
			}
			disk := unpack(t, name)
			for _, again := range []bool{false, true} {
				n, err := testkit.Open(t, testkit.Options{FS: disk})
				if err != nil {
					t.Fatal(err)
				}
				for topic, r := range want.Committed {
					same(t, n.Addr, topic, r, again)
				}
				if diff := compare(want.Offsets, commits(t, n)); len(diff) > 0 {
					t.Error(diff)
				}
				n.Dial().MustProduce("none", 0, testkit.BatchOf(firstTime, "more"))
				n.Stop()
			}
		})
	}
}

// commits are the offsets that all groups have committed.
func commits(t *testing.T, n *testkit.Node) map[string]string {
	t.Helper()
	admin := kadm.NewClient(n.Client())
	groups, err := admin.ListGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, g := range groups.Groups() {
		offsets, err := admin.FetchOffsets(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		offsets.Each(func(o kadm.OffsetResponse) {
			all[fmt.Sprintf("/%s/%s-%d", g, o.Topic, o.Partition)] = fmt.Sprintf("%d %d %s", o.At, o.LeaderEpoch, o.Metadata)
		})
	}
	return all
}

// TestFinishesWhatAKillLeft: files on their way out or in, and folders of partitions that are no longer or not yet there.
func TestFinishesWhatAKillLeft(t *testing.T) {
	disk := unpack(t, "kafka-4.4-killed")
	var want told
	b, err := os.ReadFile("testdata/kafka-4.4-killed.json")
	if err == nil {
		err = json.Unmarshal(b, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	const id = ".0123456789abcdef0123456789abcdef"
	copies := map[string]string{
		"codecs-0/00000000000000000000.log.cleaned":                            "deleted-0/00000000000000000000.log",
		"codecs-0/00000000000000000000.index.cleaned":                          "deleted-0/00000000000000000000.index",
		"codecs-0/00000000000000000900.log.deleted":                            "deleted-0/00000000000000000000.log",
		"gone-0" + id + "-delete/00000000000000000000.log":                     "deleted-0/00000000000000000000.log",
		"lost-0" + id + "-stray/00000000000000000000.log":                      "deleted-0/00000000000000000000.log",
		"codecs-0" + id + "-future/00000000000000000000.log":                   "codecs-0/00000000000000000000.log",
		"__cluster_metadata-0/00000000000000000007-0000000001.checkpoint.part": "codecs-0/00000000000000000000.log",
	}
	for to, from := range copies {
		b, err := vfs.ReadFile(disk, "/data/"+from)
		if err == nil {
			err = errors.Join(vfs.MkdirAll(disk, path.Dir("/data/"+to)), vfs.WriteFile(disk, "/data/"+to, b))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, suffix := range []string{".log", ".index", ".timeindex"} { // a cleaning that was all but done
		name := "/data/none-0/00000000000000000000" + suffix
		if err := disk.Rename(name, name+".swap"); err != nil {
			t.Fatal(err)
		}
	}
	n, err := testkit.Open(t, testkit.Options{FS: disk, Set: []string{"log.segment.delete.delay.ms=0"}})
	if err != nil {
		t.Fatal(err)
	}
	for topic, r := range want.Committed {
		same(t, n.Addr, topic, r, false)
	}
	n.Stop()
	left := contents(t, disk, "/data")
	for _, gone := range []string{".cleaned", ".deleted", ".swap", ".part"} {
		if strings.Contains(left, gone) {
			t.Errorf("a file %s is left", gone)
		}
	}
	if !strings.Contains(left, "-stray/") {
		t.Error("a stray partition was removed")
	}
}

// same compares what franz-go sees with what Kafka told; more, that the topic "none" has got a record since.
func same(t *testing.T, addr, topic string, told json.RawMessage, more bool) {
	t.Helper()
	var want reading
	if err := json.Unmarshal(told, &want); err != nil {
		t.Fatal(err)
	}
	got, err := readWithFranz(t.Context(), addr, topic)
	if err != nil {
		t.Fatal(err)
	}
	if b := got.Bounds[0]; topic == "none" && more {
		if b[1] != want.Bounds[0][1]+1 {
			t.Errorf("%s ends at %d", topic, b[1])
		}
		b[1]--
		got.Bounds[0] = b
	}
	records := map[string]bool{}
	for _, r := range want.Records {
		records[fmt.Sprint(r)] = true
	}
	found := 0
	for _, r := range got.Records {
		if records[fmt.Sprint(r)] {
			found++
		} else if !(topic == "none" && more) {
			t.Errorf("%s: Kafka did not show %v", topic, r)
		}
	}
	if found != len(want.Records) {
		t.Errorf("%s: %d of %d records are there", topic, found, len(want.Records))
	}
	for _, diff := range sameBounds(topic, want, got) {
		t.Error(diff)
	}
}

// TestRefusesWhatItCantTakeOver: one line says why and what to do, and not a byte changes.
func TestRefusesWhatItCantTakeOver(t *testing.T) {
	tests := []struct {
		name string
		set  []string
		want []string
	}{
		{"kafka-4.5", nil, []string{"metadata.version 34", "newer release"}},
		{"kafka-3.3-IV0", nil, []string{"metadata.version 4", "Apache Kafka 3.9"}},
		{"kafka-4.4-tiered", nil, []string{"topic cold", "tiered storage", "remote.log.delete.on.disable"}},
		{"kafka-3.9-zookeeper", nil, []string{"ZooKeeper", "Apache Kafka 3.9"}},
		{"kafka-3.9-migrating", nil, []string{"migrating from ZooKeeper", "Apache Kafka 3.9"}},
		{"kafka-4.4", []string{"node.id=2", "controller.quorum.voters=2@127.0.0.1:9093"}, []string{"belongs to node 1", "node.id is 2"}},
		{"kafka-4.4", []string{"controller.quorum.voters=1@127.0.0.1:9093,2@127.0.0.1:9094"}, []string{"2 voters", "quorum of one"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			disk := unpack(t, test.name)
			before := contents(t, disk, "/data")
			_, err := testkit.Open(t, testkit.Options{FS: disk, Set: test.set})
			if err == nil {
				t.Fatal("the node starts")
			}
			for _, w := range test.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q has several lines", err)
			}
			if contents(t, disk, "/data") != before {
				t.Error("something changed in the directory")
			}
		})
	}
}

// TestDumpsWhatKafkaLeft: every file is known, and none is damaged.
func TestDumpsWhatKafkaLeft(t *testing.T) {
	for _, name := range []string{"kafka-4.4", "kafka-4.4-killed", "kafka-3.9", "kafka-3.9-killed", "kafka-4.4-tiered", "kafka-3.9-zookeeper", "kafka-3.9-migrating"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			unpackTo(t, name, vfs.OS{}, dir)
			for _, folder := range folders(t, dir) {
				var out bytes.Buffer
				if err := inspect.Folder(&out, os.DirFS(folder), folder, inspect.Options{Records: true}); err != nil {
					t.Error(err)
				}
				for _, line := range undumped(out.String()) {
					t.Error(line)
				}
			}
			if err := inspect.Folder(io.Discard, os.DirFS(dir), dir, inspect.Options{Verify: true}); err != nil {
				t.Error(err)
			}
		})
	}
}

// folders are those below dir, and itself.
func folders(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
