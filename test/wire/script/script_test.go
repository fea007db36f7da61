package script

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestRecording reads Apache Kafka's answers and writes them again: the text
// must come out byte for byte, and every API of the script must be in it.
func TestRecording(t *testing.T) {
	rec, err := Recording(Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := rec.WriteDir(dir); err != nil {
		t.Fatal(err)
	}
	for _, a := range apis {
		name := a.Name() + ".txt"
		want, err := recorded.ReadFile("testdata/kafka-4.4.0/" + name)
		if err != nil {
			t.Errorf("no recording of %s: %v", a.Name(), err)
			continue
		}
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s does not survive reading and writing", name)
		}
	}
	for _, e := range rec {
		if strings.HasPrefix(e.Case, "given up") {
			t.Errorf("%s v%d: the recording is not whole: %s", e.API, e.Version, e.Lines)
		}
	}
	if res := Compare(rec, rec, nil); res.Equal != len(rec) || !res.OK() {
		t.Errorf("the recording differs from itself: %d of %d", res.Equal, len(rec))
	}
}

func TestFoldKeepsGapsApart(t *testing.T) {
	var in Transcript
	for _, v := range []int16{1, 2, 4, 5} {
		in = append(in, Entry{"x", "case", v, []string{"A: 1"}})
	}
	in = append(in, Entry{"x", "case", 6, []string{"A: 2"}}, Entry{"x", "other", -1, []string{"closed"}})
	dir := t.TempDir()
	if err := in.WriteDir(dir); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(filepath.Join(dir, "x.txt"))
	want := "= v1-v2 case\nA: 1\n\n= v4-v5 case\nA: 1\n\n= v6-v6 case\nA: 2\n\n= v-1-v-1 other\nclosed\n\n"
	if string(b) != want {
		t.Errorf("got:\n%s\nwant:\n%s", b, want)
	}
	out, err := ReadDir(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	if res := Compare(in, out, nil); res.Equal != len(in) || res.Total != len(in) {
		t.Errorf("read back: %+v", res)
	}
}

func TestReadDirRefuses(t *testing.T) {
	for _, text := range []string{"A: 1\n", "= case\n", "= v2-v1 case\n", "= v1-v2\n"} {
		fsys := fstest.MapFS{"x.txt": {Data: []byte(text)}}
		if _, err := ReadDir(fsys, "."); err == nil {
			t.Errorf("%q: read without an error", text)
		}
	}
}

func TestCompare(t *testing.T) {
	a := Transcript{
		{"x", "one", 1, []string{`T[a]: {Error=NONE Text="a b=c" N=1}`, "U: 1"}},
		{"x", "one", 2, []string{`T[a]: {Error=NONE Text="a b=c" N=1}`, "U: 1"}},
		{"x", "gone", 1, []string{"closed"}},
		{"x", "same", 1, []string{"defaults only"}},
	}
	b := Transcript{
		{"x", "one", 1, []string{`T[a]: {Error=NONE Text="a b" N=1 M=2}`}},
		{"x", "one", 2, []string{`T[a]: {Error=NONE Text="a b" N=1 M=2}`}},
		{"x", "same", 1, []string{"defaults only"}},
		{"x", "extra", 1, []string{"U: 1"}},
	}
	listed, err := ParseDeviations("| where |\n|---|\n| `wire x/{one,two}/T[*].Text` | why |\n| `wire x/gone/*` | why |\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	res := Compare(a, b, listed)
	for _, d := range res.Differences {
		got = append(got, strings.ReplaceAll(d.String(), "\n    ", " | "))
	}
	want := []string{
		`deviates x v1-v2 "one" T[a].Text | a: "a b=c" | b: "a b"`,
		`differs  x v1-v2 "one" U | a: 1 | b: `,
		`differs  x v1-v2 "one" T[a].M | a:  | b: 2`,
		`deviates x v1-v1 "gone"  | a: closed | b: not played`,
		`differs  x v1-v1 "extra"  | a: not played | b: U: 1`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if res.Equal != 1 || res.Deviating != 1 || res.Total != 5 || res.OK() {
		t.Errorf("counts: %+v", res)
	}
}

func TestParseDeviationsRefuses(t *testing.T) {
	for _, text := range []string{"| `wire x` |", "| `wire x/y/z |", "| `wire x/y/{a` |"} {
		if _, err := ParseDeviations(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

// TestRender shows what an answer looks like: defaults left out, keys in
// paths, members in the order of their keys, symbols for what may differ.
func TestRender(t *testing.T) {
	r := &run{player: &player{topics: map[[16]byte]string{}, target: Target{Broker: "h:7000", Dirs: []string{"/data"}, ClusterID: "cid"}}, api: api{key: 3}}
	id := [16]byte{1}
	r.topics[id] = r.name("b")
	resp := kmsg.NewPtrMetadataResponse()
	resp.ClusterID = ptr("cid")
	resp.Brokers = append(resp.Brokers, kmsg.MetadataResponseBroker{NodeID: 1, Host: "h", Port: 7000})
	b := kmsg.NewMetadataResponseTopic()
	b.Topic, b.TopicID, b.ErrorCode = ptr(r.name("b")), id, 3
	a := kmsg.NewMetadataResponseTopic()
	a.Topic = ptr(r.name("a"))
	a.Partitions = []kmsg.MetadataResponseTopicPartition{{Partition: 10, ISR: []int32{1, 2}}, {Partition: 9}}
	other := kmsg.NewMetadataResponseTopic()
	other.Topic = ptr("xb-1v2-strange")
	resp.Topics = append(resp.Topics, b, a, other)
	got := strings.Join(r.renderer().answer(resp), "\n")
	want := strings.Join([]string{
		`Brokers[1]: {Host="h" Port=<broker>}`,
		`ClusterID: "<cluster>"`,
		`Topics[a].Partitions[9]: {LeaderEpoch=0}`,
		`Topics[a].Partitions[10]: {LeaderEpoch=0 ISR=[1,2]}`,
		`Topics[b]: {ErrorCode=UNKNOWN_TOPIC_OR_PARTITION TopicID=id(b)}`,
		`Topics[xb-1v2-strange]: {}`,
	}, "\n")
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestBatch checks the script's batches against kmsg and their own CRC.
func TestBatch(t *testing.T) {
	r := &renderer{symbols: map[string]map[string]string{}}
	for _, c := range []struct {
		d    records
		want string
	}{
		{records{count: 2}, "offset 0+1 epoch 0 magic 2 crc ok attributes 0x0 times 1700000000000..1700000000001 producer -1/-1/-1 records 2 in 18 bytes sha cd0b2df9"},
		{records{count: 2, codec: 1}, "offset 0+1 epoch 0 magic 2 crc ok attributes 0x1 times 1700000000000..1700000000001 producer -1/-1/-1 records 2 in 18 bytes sha cd0b2df9"},
		{records{count: 2, codec: 4, spoil: func(b []byte) { b[20]++ }}, "offset 0+1 epoch 0 magic 2 crc bad attributes 0x4 times 1700000000000..1700000000001 producer -1/-1/-1 records 2 in 18 bytes sha cd0b2df9"},
		{records{count: 1, withPID: true, pid: 9, pepoch: 1, seq: 4, attrs: attrLogAppendTime}, "offset 0+0 epoch 0 magic 2 crc ok attributes 0x8 times 1700000000000..1700000000000 producer <ProducerID#1>/1/4 records 1 in 9 bytes sha 105da73c"},
	} {
		b := c.d.batch()
		if got := r.batches(b); len(got) != 1 || got[0] != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
		if got := r.batches(b[:len(b)-1]); len(got) != 1 || !strings.HasPrefix(got[0], "torn, ") {
			t.Errorf("torn batch: %q", got)
		}
	}
}

// serve answers frames on one listener until the test ends.
func serve(t *testing.T, handle func(frame []byte) (answer []byte, keep bool)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for {
					var size [4]byte
					if _, err := io.ReadFull(c, size[:]); err != nil {
						return
					}
					frame := make([]byte, binary.BigEndian.Uint32(size[:]))
					if _, err := io.ReadFull(c, frame); err != nil {
						return
					}
					answer, keep := handle(frame)
					if !keep {
						return
					}
					out := binary.BigEndian.AppendUint32(nil, uint32(len(answer)))
					if _, err := c.Write(append(out, answer...)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// TestOutcomes plays single cases against a server that behaves badly.
func TestOutcomes(t *testing.T) {
	resp := kmsg.NewPtrDeleteRecordsResponse()
	good := resp.AppendTo(nil)
	for _, c := range []struct {
		name   string
		answer func(frame []byte) ([]byte, bool)
		want   string
	}{
		{"right", func(f []byte) ([]byte, bool) { return append(slices.Clone(f[4:8]), good...), true }, "defaults only"},
		{"closing", func([]byte) ([]byte, bool) { return nil, false }, "closed"},
		{"other correlation", func([]byte) ([]byte, bool) { return append([]byte{9, 9, 9, 9}, good...), true }, "answer has correlation id 151587081, not 1"},
		{"trailing bytes", func(f []byte) ([]byte, bool) { return append(append(slices.Clone(f[4:8]), good...), 0, 0), true }, "encoding: another encoder writes -2 bytes"},
		{"too short", func(f []byte) ([]byte, bool) { return f[4:8], true }, "undecodable answer of 0 bytes"},
		{"no correlation", func([]byte) ([]byte, bool) { return []byte{1}, true }, "answer claims 1 bytes"},
	} {
		p := &player{ctx: context.Background(), target: Target{Broker: serve(t, c.answer)}, topics: map[[16]byte]string{}, ids: map[string][16]byte{}}
		r := &run{player: p, api: api{name: "x", key: 21}, version: 1}
		r.do(c.name, kmsg.NewPtrDeleteRecordsRequest())
		p.close()
		if got := strings.Join(p.out[0].Lines, "; "); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestGivenUp shows that a failing preparation is an entry and not the end.
func TestGivenUp(t *testing.T) {
	p := &player{ctx: context.Background(), target: Target{Broker: serve(t, func([]byte) ([]byte, bool) { return nil, false })}, topics: map[[16]byte]string{}, ids: map[string][16]byte{}}
	defer p.close()
	p.guard(api{name: "x", key: 21}, 0, func(r *run) { r.make(newTopic("a", 1)) })
	want := Entry{"x", "given up", 0, []string{"given up: CreateTopics v7: closed"}}
	if len(p.out) != 1 || p.out[0].Case != want.Case || !slices.Equal(p.out[0].Lines, want.Lines) {
		t.Errorf("got %+v", p.out)
	}
}

// TestAPIs keeps the table of contents in order.
func TestAPIs(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range apis {
		if seen[a.Name()] {
			t.Errorf("%s twice", a.Name())
		}
		seen[a.Name()] = true
		if a.sample != nil && kmsg.RequestForKey(a.key).MaxVersion() < a.max {
			t.Errorf("%s: kmsg has no version %d", a.Name(), a.max)
		}
	}
}
