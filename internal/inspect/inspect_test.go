package inspect

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cockroachdb/datadriven"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
)

// TestScenarios makes files and prints them.
//
//	file NAME     a line for each part of the file: batch, control, metadata, u16, u32, u64, crc, zeros, text, hex; flip and cut change
//	              what is there
//	dump [NAME]   print the folder, or one file, as the arguments records, verify, indexes, metadata and jsonl say, and the error
//	apache NAME   print a file as kafka-dump-log does, as the arguments print, deep, noheads, offsets, transactions, metadata, verify, sanity
//	              and max=N say
//	shell NAME    run commands of the metadata shell on a log or a snapshot, with width=N interactively
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, name string) {
		if path.Ext(name) != ".txt" {
			return
		}
		folder := fstest.MapFS{}
		datadriven.RunTest(t, name, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "file":
				content := build(t, d.Input)
				folder[d.CmdArgs[0].Key] = &fstest.MapFile{Data: content}
				return fmt.Sprintf("%d bytes\n", len(content))
			case "clear":
				clear(folder)
				return ""
			case "dump":
				return dump(folder, d)
			case "apache":
				return apacheDump(folder, d)
			case "shell":
				return shellRun(folder, d)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func dump(folder fstest.MapFS, d *datadriven.TestData) string {
	var o Options
	name := ""
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "records":
			o.Records = true
		case "verify":
			o.Verify = true
		case "indexes":
			o.Indexes = true
		case "metadata":
			o.Metadata = true
		case "offsets":
			o.Offsets = true
		case "transactions":
			o.Transactions = true
		case "jsonl":
			o.JSON = true
		default:
			name = arg.Key
		}
	}
	var out bytes.Buffer
	var err error
	if name == "" {
		err = Folder(&out, folder, "data", o)
	} else {
		b := []byte{}
		if f, ok := folder[name]; ok {
			b = f.Data
		}
		err = File(&out, name, bytes.NewReader(b), int64(len(b)), o)
	}
	if o.JSON {
		for line := range strings.Lines(out.String()) {
			if !json.Valid([]byte(line)) {
				return "not JSON: " + line
			}
		}
	}
	if err != nil {
		fmt.Fprintf(&out, "error: %v\n", err)
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrUnknown) {
			out.WriteString("of no known kind\n")
		}
	}
	return out.String()
}

// build makes the bytes that a script describes.
func build(t *testing.T, script string) []byte {
	var b []byte
	for line := range strings.SplitSeq(script, "\n") {
		w := strings.Fields(line)
		if len(w) == 0 {
			continue
		}
		n := func(i int) int64 {
			v, err := strconv.ParseInt(w[i], 0, 64)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			return v
		}
		switch w[0] {
		case "batch":
			b = append(b, batch(t, n(1), w[2:])...)
		case "control":
			b = append(b, control(t, n(1), w[2])...)
		case "pair": // OFFSET KEY VALUE in hex; none is null
			var pair record.Builder
			pair.Begin(record.NewOptions(kafka.Offset(n(1)), 0))
			pair.Add(1000, unhex(t, w[2]), unhex(t, w[3]))
			b = append(b, finish(t, &pair)...)
		case "metadata":
			rec := &schema.TopicRecord{Name: w[2], TopicID: kafka.UUID{1, 2, 3}}
			b = append(b, batchOf(t, record.NewOptions(kafka.Offset(n(1)), 0), schema.AppendMetadata(nil, rec, 0))...)
		case "u16", "u32", "u64":
			for i := range w[1:] {
				var e [8]byte
				binary.BigEndian.PutUint64(e[:], uint64(n(i+1)))
				b = append(b, e[map[string]int{"u16": 6, "u32": 4, "u64": 0}[w[0]]:]...)
			}
		case "crc": // of what follows these four bytes, at this position
			binary.BigEndian.PutUint32(b[n(1):], crc32.Checksum(b[n(1)+4:], castagnoli))
		case "zeros":
			b = append(b, make([]byte, n(1))...)
		case "text":
			b = append(b, strings.TrimPrefix(strings.TrimPrefix(line, "text"), " ")+"\n"...)
		case "hex":
			b = append(b, unhex(t, w[1])...)
		case "flip":
			b[n(1)] ^= 1
		case "cut":
			b = b[:int64(len(b))-n(1)]
		default:
			t.Fatalf("unknown %s", line)
		}
	}
	return b
}

// batch makes a batch from words: epoch=1, codec=gzip, time=1000, producer=7, and others as the records' key=value.
func batch(t *testing.T, base int64, words []string) []byte {
	o := record.NewOptions(kafka.Offset(base), 0)
	stamp := int64(1000)
	var add [][2]string
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		n, _ := strconv.ParseInt(v, 10, 64)
		switch k {
		case "epoch":
			o.LeaderEpoch = kafka.LeaderEpoch(n)
		case "codec":
			o.Codec = map[string]compress.Codec{"gzip": compress.Gzip, "zstd": compress.Zstd}[v]
		case "time":
			stamp = n
		case "producer":
			o.ProducerID, o.ProducerEpoch, o.BaseSequence = kafka.ProducerID(n), 0, 0
		default:
			add = append(add, [2]string{k, v})
		}
	}
	var b record.Builder
	b.Begin(o)
	for i, r := range add {
		b.Add(stamp+int64(i), []byte(r[0]), []byte(r[1]), record.Header{Key: "h", Value: []byte{0xff}})
	}
	return finish(t, &b)
}

func batchOf(t *testing.T, o record.Options, value []byte) []byte {
	var b record.Builder
	b.Begin(o)
	b.Add(1000, nil, value)
	return finish(t, &b)
}

// unhex reads bytes in hex; none is nil.
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	if s == "none" {
		return nil
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func finish(t *testing.T, b *record.Builder) []byte {
	t.Helper()
	out, err := b.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func control(t *testing.T, base int64, what string) []byte {
	switch what {
	case "leader-change":
		value := (&schema.LeaderChangeMessage{LeaderID: 1, Voters: []schema.LeaderChangeVoter{{VoterID: 1}}}).AppendTo(nil, 0)
		return record.AppendControl(nil, kafka.Offset(base), 1, 1000, record.LeaderChange, value)
	case "commit":
		return record.AppendEndTxnMarker(nil, kafka.Offset(base), 1, 1000, 7, 0, record.Commit, 3)
	case "strange":
		return record.AppendControl(nil, kafka.Offset(base), 1, 1000, 99, []byte("?"))
	case "short":
		return record.AppendControl(nil, kafka.Offset(base), 1, 1000, record.Voters, []byte{0})
	}
	t.Fatalf("unknown control record %s", what)
	return nil
}

// TestKafkasSnapshot prints the bootstrap snapshot that Apache Kafka 4.4.0 formatted.
func TestKafkasSnapshot(t *testing.T) {
	const name = "00000000000000000000-0000000000.checkpoint"
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := File(&out, name, bytes.NewReader(b), int64(len(b)), Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`type="snapshot header" body={"version":0,"lastContainedLogTimestamp":`,
		`metadata={"type":"FEATURE_LEVEL_RECORD","version":0,"data":{"name":"metadata.version","featureLevel":33}}`,
		`type="snapshot footer" body={"version":0}`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
}

// full is an output without room.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, fs.ErrClosed
	}
	return len(p), nil
}

func TestOutputErrorsComeThrough(t *testing.T) {
	b := build(t, "batch 0 a=1\nbatch 1 b=2\nbatch 2 c=3")
	for room := 0; room < 400; room += 50 {
		err := File(&full{room}, "00000000000000000000.log", bytes.NewReader(b), int64(len(b)), Options{Records: true})
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("room for %d bytes: got %v", room, err)
		}
	}
}

// FuzzFile prints arbitrary bytes as a file of every kind: never a panic, and never more memory than a multiple of the file.
func FuzzFile(f *testing.F) {
	snapshot, err := os.ReadFile("testdata/00000000000000000000-0000000000.checkpoint")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(snapshot)
	f.Add([]byte("0\n1\n0 0\n"))
	f.Add([]byte("version=1\ncluster.id=x\n"))
	f.Add([]byte(`{"a":1}`))
	f.Add(make([]byte, 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		kinds := []string{"00000000000000000000.log", "0-0.checkpoint"}
		for suffix := range suffixes {
			kinds = append(kinds, "1"+suffix)
		}
		for name := range names {
			kinds = append(kinds, name)
		}
		for _, name := range kinds {
			for _, o := range []Options{{Records: true}, {Verify: true}, {Metadata: true, JSON: true}} {
				var out bytes.Buffer
				err := File(&out, name, bytes.NewReader(b), int64(len(b)), o)
				if err != nil && !errors.Is(err, ErrDamaged) {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
	})
}
