package storage

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

// testWorld is a world of memory, a fixed clock and a seeded source of ids.
func testWorld() World {
	return World{
		FS:     vfs.NewMem(),
		Now:    func() time.Time { return time.UnixMilli(1795303487758) },
		Random: rand.NewChaCha8([32]byte{7}),
	}
}

// TestScenarios runs testdata/*.scenario. Commands: reset; file NAME (its content is the input); storage ARGS…;
// tree DIR; hold FILE takes a lock; check FILE opens the directories of a configuration; prepare FILE as ottla dev.
func TestScenarios(t *testing.T) {
	for _, name := range []string{"format", "check"} {
		t.Run(name, func(t *testing.T) {
			w := testWorld()
			datadriven.RunTest(t, "testdata/"+name+".scenario", func(t *testing.T, d *datadriven.TestData) string {
				if d.Cmd == "reset" {
					w = testWorld()
					return ""
				}
				return scenario(t, w, d)
			})
		})
	}
}

func scenario(t *testing.T, w World, d *datadriven.TestData) string {
	switch d.Cmd {
	case "file":
		name := d.CmdArgs[0].Key
		if err := errors.Join(vfs.MkdirAll(w.FS, path.Dir(name)), vfs.WriteFile(w.FS, name, []byte(d.Input+"\n"))); err != nil {
			t.Fatal(err)
		}
		return ""
	case "storage":
		var out bytes.Buffer
		err := Tool{World: w, Out: &out, Name: "ottla storage"}.Run(strings.Fields(d.Input))
		var use *UsageError
		switch {
		case errors.As(err, &use):
			fmt.Fprintf(&out, "usage error of %q: %v\n", use.Command, err)
		case err != nil:
			fmt.Fprintf(&out, "error: %v\n", err)
		}
		return out.String()
	case "tree":
		return tree(t, w.FS, d.CmdArgs[0].Key)
	case "hold":
		if _, err := w.FS.Lock(d.CmdArgs[0].Key); err != nil {
			t.Fatal(err)
		}
		return ""
	case "check":
		return checked(t, w, d.CmdArgs[0].Key)
	case "prepare":
		done, err := w.Prepare(load(t, w, d.CmdArgs[0].Key))
		return fmt.Sprintln(done, err)
	}
	return "unknown command " + d.Cmd
}

func load(t *testing.T, w World, file string) *config.Node {
	t.Helper()
	text, err := vfs.ReadFile(w.FS, file)
	if err != nil {
		t.Fatal(err)
	}
	n, err := config.Load(file, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func checked(t *testing.T, w World, file string) string {
	id, err := w.Check(load(t, w, file))
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "cluster %s, node %d\n", id.ClusterID, id.NodeID)
	for _, d := range id.Dirs {
		fmt.Fprintf(&b, "%s %s %v\n", d.Path, d.ID, d.Err)
	}
	if err := id.Close(); err != nil {
		t.Error(err)
	}
	return b.String()
}

// tree lists files with their content, snapshots by their records.
func tree(t *testing.T, fs vfs.FS, dir string) string {
	entries, err := fs.ReadDir(dir)
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	for _, e := range entries {
		name := path.Join(dir, e.Name)
		if e.Dir {
			b.WriteString(tree(t, fs, name))
			continue
		}
		content, err := vfs.ReadFile(fs, name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", name)
		text := string(content)
		if strings.HasSuffix(name, ".checkpoint") {
			text = records(t, content, true)
		}
		for line := range strings.Lines(text) {
			b.WriteString("  " + line)
		}
	}
	return b.String()
}

// records prints the batches and records of a snapshot; without times if they are not to be compared.
func records(t *testing.T, content []byte, times bool) string {
	t.Helper()
	var b strings.Builder
	for len(content) > 0 {
		batch, rest, err := record.Next(content)
		if err != nil {
			t.Fatal(err)
		}
		if err := batch.CheckCRC(); err != nil {
			t.Error(err)
		}
		fmt.Fprintf(&b, "batch %d-%d control=%v epoch=%d size=%d", batch.BaseOffset(), batch.LastOffset(), batch.IsControl(),
			batch.LeaderEpoch(), batch.Size())
		if times {
			fmt.Fprintf(&b, " time=%d", batch.MaxTimestamp())
		}
		b.WriteString("\n")
		var w record.Walker
		w.Reset(batch, 1<<20)
		for w.Next() {
			b.WriteString("  " + recordText(t, batch, w.Record, times) + "\n")
		}
		if err := w.Err(); err != nil {
			t.Error(err)
		}
		w.Close()
		content = rest
	}
	return b.String()
}

func recordText(t *testing.T, b record.Batch, r record.Record, times bool) string {
	t.Helper()
	if !b.IsControl() {
		rec, version, err := schema.ParseMetadata(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		return string(schema.AppendMetadataJSON(nil, rec, version))
	}
	kind, err := record.ParseControlKey(r.Key)
	if err != nil {
		t.Fatal(err)
	}
	if kind == record.SnapshotHeader && !times {
		return "header"
	}
	return fmt.Sprintf("control %d %x", kind, r.Value)
}

// bootstrapFile is what format leaves in the directory /a.
const bootstrapFile = "/a/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint"

// TestKafkaSnapshot compares the snapshots with those that Apache Kafka's tool wrote for the same arguments: all but
// the clock is equal, record by record.
func TestKafkaSnapshot(t *testing.T) {
	directory, err := kafka.ParseUUID("pphHEzIITBCNwPYfAx1ipQ")
	if err != nil {
		t.Fatal(err)
	}
	voters := []Voter{{ID: 1, Directory: directory, Host: "127.0.0.1", Port: 39601}}
	r := Latest()
	for name, args := range map[string]struct {
		kraft  int16
		voters []Voter
	}{
		"static": {0, nil}, "standalone": {1, voters},
	} {
		want, err := os.ReadFile("testdata/kafka_" + name + ".checkpoint")
		if err != nil {
			t.Fatal(err)
		}
		_, levels, err := effective("", nil)
		if err != nil {
			t.Fatal(err)
		}
		level := levels["kraft.version"]
		if args.kraft == 0 {
			level = 0
		}
		w := testWorld()
		if err := w.writeBootstrap("/a", bootstrapRecords(r, levels), members(level, args.voters, "CONTROLLER")); err != nil {
			t.Fatal(err)
		}
		got, err := vfs.ReadFile(w.FS, bootstrapFile)
		if err != nil {
			t.Fatal(err)
		}
		if g, w := records(t, got, false), records(t, want, false); g != w {
			t.Errorf("%s: got\n%s\nwant\n%s", name, g, w)
		}
	}
}

// TestFormatSurvivesCrash cuts the power at every sync of a format: what is left is either not formatted, and can be
// formatted again, or complete.
func TestFormatSurvivesCrash(t *testing.T) {
	const seed = 11
	properties := "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@localhost:9093\n" +
		"listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\ncontroller.listener.names=CONTROLLER\nlog.dirs=/a,/b\n"
	n, err := config.Load("f", []byte(properties), nil)
	if err != nil {
		t.Fatal(err)
	}
	var clones []*vfs.Mem
	disk := vfs.NewCrash()
	rng := rand.New(rand.NewPCG(seed, seed))
	w := testWorld()
	w.FS = vfs.NewFaulty(disk, func(o vfs.Op) error {
		if o.Changes() {
			clones = append(clones, disk.CrashClone(rng, rng.IntN(101)))
		}
		return nil
	})
	q := Request{Node: n, ClusterID: "c"}
	if err := w.Format(q, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	q.IgnoreFormatted = true
	for i, clone := range append(clones, disk.CrashClone(rng, 0)) {
		again := testWorld()
		again.FS, again.Random = clone, rand.NewChaCha8([32]byte{8})
		if err := again.Format(q, &bytes.Buffer{}); err != nil {
			t.Fatalf("seed %d, crash %d: %v", seed, i, err)
		}
		if _, err := again.Check(n); err != nil {
			t.Errorf("seed %d, crash %d: %v", seed, i, err)
		}
		if ok, _ := vfs.Exists(clone, bootstrapFile); !ok {
			t.Errorf("seed %d, crash %d: formatted without the snapshot", seed, i)
		}
	}
	if len(clones) < 6 {
		t.Errorf("only %d crashes", len(clones))
	}
}

// TestOfflineDirectory holds that one directory that can't be read is left aside, and that none is too few.
func TestOfflineDirectory(t *testing.T) {
	w := testWorld()
	n, err := config.Load("f", []byte("process.roles=broker\nnode.id=1\ncontroller.quorum.bootstrap.servers=c:1\n"+
		"controller.listener.names=C\nlog.dirs=/a,/b\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Format(Request{Node: n, ClusterID: "c"}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	for dir, wantErr := range map[string]bool{"/b": false, "/a": true} {
		broken := w
		broken.FS = vfs.NewFaulty(w.FS, func(o vfs.Op) error {
			if strings.HasPrefix(o.Name, dir+"/") {
				return errors.New("input/output error")
			}
			return nil
		})
		id, err := broken.Check(n)
		if (err != nil) != wantErr {
			t.Errorf("%s broken: %v", dir, err)
		}
		if err == nil {
			if d, _ := id.Dir(dir); d.Err == nil {
				t.Errorf("%s is not offline", dir)
			}
			if err := id.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestDirectoryWithoutID(t *testing.T) {
	w := testWorld()
	n, err := config.Load("f", []byte("process.roles=broker\nnode.id=1\ncontroller.quorum.bootstrap.servers=c:1\n"+
		"controller.listener.names=C\nlog.dirs=/a\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.FS.Mkdir("/a"),
		vfs.WriteFile(w.FS, "/a/meta.properties", []byte("version=1\nnode.id=1\ncluster.id=c\n"))); err != nil {
		t.Fatal(err)
	}
	id, err := w.Check(n)
	if err != nil || id.Dirs[0].ID.IsZero() {
		t.Fatalf("got %+v, %v", id, err)
	}
	m, _, err := checkpoint.ReadMeta(w.FS, "/a")
	if err != nil || m.DirectoryID != id.Dirs[0].ID {
		t.Errorf("stored %v, %v", m, err)
	}
}

func TestReleases(t *testing.T) {
	if r := Latest(); r.Name != "4.4-IV2" || r.Metadata != 33 {
		t.Errorf("latest is %+v", r)
	}
	for name, want := range map[string]string{
		"3.7": "3.7-IV4", "4.0-IV1": "4.0-IV1", "4.0.1": "4.0-IV3", "3.3": "3.3-IV3",
	} {
		if r, err := FindRelease(name); err != nil || r.Name != want {
			t.Errorf("%s is %s, %v; want %s", name, r.Name, err, want)
		}
	}
	if !slices.IsSortedFunc(releases, func(a, b Release) int { return int(a.Metadata) - int(b.Metadata) }) {
		t.Error("releases are not in order")
	}
}

// FuzzParseVoters feeds any text as --initial-controllers: no panic, and what is read has an id, a host and a port.
func FuzzParseVoters(f *testing.F) {
	f.Add("1@localhost:9093:JEXY6aqzQY-32P5TStzaFg,2@[::1]:1:MvDxzVmcRsaTz33bUuRU6A")
	f.Add("@")
	f.Add("1@[:")
	f.Fuzz(func(t *testing.T, s string) {
		voters, err := ParseVoters(s)
		if err == nil && len(voters) == 0 {
			t.Error("neither voters nor an error")
		}
		for _, v := range voters {
			if v.ID < 0 || v.Port < 0 || v.Port > 65535 {
				t.Errorf("%q gave %+v", s, v)
			}
		}
	})
}
