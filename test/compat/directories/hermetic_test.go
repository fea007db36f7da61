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
				n.Dial().MustProduce("none", 0, testkit.BatchOf(firstTime, "more"))
				n.Stop()
			}
		})
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
