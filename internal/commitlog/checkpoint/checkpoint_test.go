package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// golden returns a file that Apache Kafka 4.4.0 wrote.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	must(t, err)
	return b
}

func TestOffsetsAreKafkas(t *testing.T) {
	golden40 := []Entry{{kafka.TopicPartition{Topic: "golden", Partition: 0}, 40}}
	for name, want := range map[string][]Entry{RecoveryPoint: golden40, Replication: golden40, LogStart: nil, Cleaner: nil} {
		b := golden(t, name)
		got, err := ParseOffsets(b)
		must(t, err)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v", name, got)
		}
		if out := FormatOffsets(got); len(b) > 0 && !bytes.Equal(out, b) { // the cleaner's is empty until there is something to clean
			t.Errorf("%s: written as %q", name, out)
		}
	}
}

func TestMetaIsKafkas(t *testing.T) {
	m, err := ParseMeta(golden(t, MetaFile))
	must(t, err)
	want, err := kafka.ParseUUID("TrA0YZ_dIieSVeBLZ7r47Q")
	must(t, err)
	if m != (Meta{Version: 1, ClusterID: "AAAAAAAAAAAAAAAAAAAAAQ", NodeID: 1, DirectoryID: want}) {
		t.Fatalf("%+v", m)
	}
	out := FormatMeta(m, time.Date(2026, 11, 21, 23, 2, 58, 0, time.UTC))
	theirs, ours := strings.Split(string(golden(t, MetaFile)), "\n"), strings.Split(string(out), "\n")
	slices.Sort(theirs) // Java's order is that of a hash table
	slices.Sort(ours)
	if !slices.Equal(theirs, ours) {
		t.Fatalf("ours %q, Kafka's %q", ours, theirs)
	}
}

func TestCleanMarkIsKafkas(t *testing.T) {
	disk := vfs.NewMem()
	must(t, WriteClean(disk, "/", 13))
	b, err := vfs.ReadFile(disk, "/"+CleanShutdown)
	must(t, err)
	if !bytes.Equal(b, golden(t, CleanShutdown)) {
		t.Fatalf("%q", b)
	}
	for _, want := range []bool{true, false} {
		clean, epoch, err := TakeClean(disk, "/")
		must(t, err)
		if clean != want || want && epoch != 13 {
			t.Fatalf("clean %v, epoch %d", clean, epoch)
		}
	}
	for content, want := range map[string]kafka.BrokerEpoch{"": -1, "{}": -1, `{"version":1,"brokerEpoch":7,"more":[]}`: 7, `{"brokerEpoch":"x"}`: -1} {
		if got := parseClean([]byte(content)); got != want {
			t.Errorf("%q: epoch %d", content, got)
		}
	}
}

func TestOffsets(t *testing.T) {
	f := func(content, want string) {
		t.Helper()
		entries, err := ParseOffsets([]byte(content))
		var lines []string
		for _, e := range entries {
			lines = append(lines, fmt.Sprintf("%s %d %d", e.Topic, e.Partition, e.Offset))
		}
		got := strings.Join(lines, ", ")
		if err != nil {
			got = err.Error()
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%q: %v is not ErrMalformed", content, err)
			}
		}
		if got != want {
			t.Errorf("%q: %s, want %s", content, got, want)
		}
	}
	f("", "")
	f("0\n", "")
	f("0\n0\n", "")
	f("0\r\n1\r\na 1 5\r\n", "a 1 5")
	f("0\n2\na.b-c 1 5\na.b-c 10  -7\n", "a.b-c 1 5, a.b-c 10 -7")
	f("1\n0\n", `malformed file: version "1", want 0`)
	f("0\n2\na 1 5\n", `malformed file: "2" entries announced, 1 found`)
	f("0\n1\na 1\n", `malformed file: line "a 1"`)
	f("0\n1\na 1 5 6\n", `malformed file: line "a 1 5 6"`)
	f("0\n1\na x 5\n", `malformed file: line "a x 5": strconv.ParseInt: parsing "x": invalid syntax`)
	f("0\n1\na 1 9223372036854775808\n", `malformed file: line "a 1 9223372036854775808": strconv.ParseInt: parsing "9223372036854775808": value out of range`)
	f("0\n-1\n", `malformed file: "-1" entries announced, 0 found`)
	f("0\n2147483647\n", `malformed file: "2147483647" entries announced, 0 found`)
}

func TestWriteAndReadOffsets(t *testing.T) {
	disk := vfs.NewCrash()
	entries, err := ReadOffsets(disk, "/", LogStart)
	must(t, err)
	if len(entries) != 0 {
		t.Fatal(entries)
	}
	want := []Entry{{kafka.TopicPartition{Topic: "a", Partition: 9}, 0}, {kafka.TopicPartition{Topic: "a", Partition: 10}, 7}, {kafka.TopicPartition{Topic: "b", Partition: 2}, 5}}
	must(t, WriteOffsets(disk, "/", LogStart, want))
	got, err := ReadOffsets(disk.CrashClone(nil, 0), "/", LogStart)
	must(t, err)
	if !slices.Equal(got, want) || got[0].Partition != 9 || got[2].Topic != "b" {
		t.Fatal(got)
	}
}

func TestMentions(t *testing.T) {
	var entries []Entry
	for _, topic := range []string{"b", "a", "a-b", "ab"} {
		for _, partition := range []int32{10, 9, 0, 100} {
			entries = append(entries, Entry{kafka.TopicPartition{Topic: topic, Partition: partition}, 5})
		}
	}
	Sort(entries)
	for n := range len(entries) + 1 {
		b := FormatOffsets(entries[:n])
		for i, e := range entries {
			if got := Mentions(b, e.TopicPartition); got != (i < n) {
				t.Errorf("%d entries, %s: %v", n, e.TopicPartition, got)
			}
		}
		for _, id := range []kafka.TopicPartition{{Topic: "", Partition: 0}, {Topic: "a", Partition: 1}, {Topic: "a", Partition: 11}, {Topic: "zz", Partition: 0}} {
			if Mentions(b, id) {
				t.Errorf("%d entries, %s is not among them", n, id)
			}
		}
	}
	if Mentions(nil, entries[0].TopicPartition) || !Mentions([]byte("0\n1\nx\n"), entries[0].TopicPartition) {
		t.Error("of nothing, or of what is no checkpoint")
	}
}

func TestEpochs(t *testing.T) {
	b := []byte("0\n2\n0 0\n7 100\n")
	epochs, err := ParseEpochs(b)
	must(t, err)
	if !slices.Equal(epochs, []Epoch{{0, 0}, {7, 100}}) || !bytes.Equal(FormatEpochs(epochs), b) {
		t.Fatal(epochs)
	}
	for _, bad := range []string{"0\n2\n1 0\n1 5\n", "0\n2\n2 0\n1 5\n", "0\n2\n1 5\n2 5\n", "0\n1\n-1 0\n", "0\n1\n1 -1\n", "0\n1\n1\n"} {
		if _, err := ParseEpochs([]byte(bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestPartitionMetadata(t *testing.T) {
	disk := vfs.NewMem()
	if _, ok, err := ReadPartition(disk, "/"); ok || err != nil {
		t.Fatal(ok, err)
	}
	id, err := kafka.ParseUUID("igaDvYiMR76koyM2g7MSnA")
	must(t, err)
	must(t, WritePartition(disk, "/", id))
	got, ok, err := ReadPartition(disk, "/")
	if got != id || !ok || err != nil {
		t.Fatal(got, ok, err)
	}
	for _, bad := range []string{"", "version: 0\n", "version: 1\ntopic_id: igaDvYiMR76koyM2g7MSnA", "version: 0\ntopic_id: x", "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA", "version: 0\nversion: 0\ntopic_id: igaDvYiMR76koyM2g7MSnA", "version 0"} {
		if _, err := ParsePartition([]byte(bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestMeta(t *testing.T) {
	for _, bad := range []string{"", "version=2", "version=1\nnode.id=1\n", "version=1\ncluster.id=x\n", "version=1\ncluster.id=x\nnode.id=y", "version=1\ncluster.id=x\nnode.id=1\ndirectory.id=z", "version=1\ncluster.id=x\nnode.id=1\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAA"} {
		if _, err := ParseMeta([]byte(bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	m, err := ParseMeta([]byte(" version : 0 \n!comment\nbroker.id=7\ncluster.id=a\\:b\n"))
	must(t, err)
	if m != (Meta{Version: 0, ClusterID: "a:b", NodeID: 7}) {
		t.Fatalf("%+v", m)
	}
	disk := vfs.NewMem()
	if _, ok, err := ReadMeta(disk, "/"); ok || err != nil {
		t.Fatal(ok, err)
	}
	must(t, WriteMeta(disk, "/", Meta{Version: 1, ClusterID: "c", NodeID: 3, DirectoryID: kafka.UUID{1}}, time.Now()))
	got, ok, err := ReadMeta(disk, "/")
	if !ok || err != nil || got != (Meta{Version: 1, ClusterID: "c", NodeID: 3, DirectoryID: kafka.UUID{1}}) {
		t.Fatal(got, ok, err)
	}
}

func TestStart(t *testing.T) {
	disk := vfs.NewMem()
	s := Start{Boot: "5f2c", Mount: "8:1/77", Incarnation: kafka.UUID{9}, Epoch: 77}
	if _, ok, err := ReadStart(disk, "/"); ok || err != nil {
		t.Fatal(ok, err)
	}
	must(t, WriteStart(disk, "/", s))
	got, ok, err := ReadStart(disk, "/")
	if got != s || !ok || err != nil {
		t.Fatal(got, ok, err)
	}
	if !got.SameMachineLife(Start{Boot: "5f2c", Mount: "8:1/77"}) || got.SameMachineLife(Start{Boot: "other", Mount: "8:1/77"}) || (Start{}).SameMachineLife(Start{}) {
		t.Fatal("wrong about the machine's life")
	}
	must(t, vfs.WriteFile(disk, "/"+StartMarker, []byte("version=0\nboot=b\nincarnation=TrA0YZ_dIieSVeBLZ7r47Q\n")))
	if got, ok, err := ReadStart(disk, "/"); !ok || err != nil || got.Epoch != kafka.NoBrokerEpoch {
		t.Fatal("of an earlier release:", got, ok, err)
	}
	must(t, vfs.WriteFile(disk, "/"+StartMarker, []byte("garbage")))
	if _, ok, err := ReadStart(disk, "/"); ok || err != nil {
		t.Fatal(ok, err)
	}
}

// FuzzFiles parses anything as each of the files; what is accepted comes out with the same meaning.
func FuzzFiles(f *testing.F) {
	for _, name := range []string{RecoveryPoint, LogStart, MetaFile, CleanShutdown} {
		f.Add(golden(f, name))
	}
	f.Add([]byte("0\n2\n0 0\n7 100\n"))
	f.Add([]byte("version: 0\ntopic_id: igaDvYiMR76koyM2g7MSnA"))
	f.Add([]byte("version=0\nboot=a\nmount=b\nincarnation=igaDvYiMR76koyM2g7MSnA\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if entries, err := ParseOffsets(b); err == nil {
			if again, err := ParseOffsets(FormatOffsets(entries)); err != nil || !slices.Equal(again, entries) {
				t.Fatalf("%v becomes %v, %v", entries, again, err)
			}
		}
		if epochs, err := ParseEpochs(b); err == nil {
			if again, err := ParseEpochs(FormatEpochs(epochs)); err != nil || !slices.Equal(again, epochs) {
				t.Fatalf("%v becomes %v, %v", epochs, again, err)
			}
		}
		if id, err := ParsePartition(b); err == nil {
			if again, err := ParsePartition(FormatPartition(id)); err != nil || again != id {
				t.Fatalf("%v becomes %v, %v", id, again, err)
			}
		}
		_, _ = ParseMeta(b)
		_, _ = ParseStart(b)
		_ = parseClean(b)
	})
}
