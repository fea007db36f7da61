package records

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
)

// TestTemplates prints two records by each format: an ordinary one, and one of nulls.
func TestTemplates(t *testing.T) {
	full := &kgo.Record{
		Topic: "orders", Partition: 3, Offset: 47, LeaderEpoch: 2, Timestamp: time.UnixMilli(1769860800123),
		Key: []byte("k1"), Value: []byte("v\x00\xff"),
		Headers: []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "b"}},
	}
	null := &kgo.Record{Topic: "orders", Timestamp: time.UnixMilli(0)}
	part := &kgo.FetchPartition{HighWatermark: 50, LastStableOffset: 49, LogStartOffset: 5}
	datadriven.RunTest(t, "testdata/templates.txt", func(t *testing.T, d *datadriven.TestData) string {
		var b strings.Builder
		for format := range strings.SplitSeq(d.Input, "\n") {
			tmpl, err := newTemplate(format)
			if err != nil {
				b.WriteString(format + "  →  " + err.Error() + "\n")
				continue
			}
			b.WriteString(format + "  →  " + strconv.Quote(string(tmpl.append(nil, part, full))) + "  " +
				strconv.Quote(string(tmpl.append(nil, part, null))) + "\n")
		}
		return b.String()
	})
}

// A terminal would obey what a producer sends.
func TestTamed(t *testing.T) {
	for value, want := range map[string]string{
		"a\x1b[2Jb": `a\x1b[2Jb`, "line\n\ttab": "line\n\ttab", "\u009b31m": `\u009b31m`, "é\xff": "é\xff", "\x7f\r": `\x7f\r`,
	} {
		got := tamed(&kgo.Record{Value: []byte(value)})
		if string(got.Value) != want || got.Key != nil {
			t.Errorf("%q is shown as %q and %q, want %q", value, got.Key, got.Value, want)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{`%v\n`, "%k %s %T %h{%k=%v}", "%d{strftime[%F]}", "%R%s", "%%", `%{%}`, "%h%h{", `\`} {
		f.Add(s)
	}
	r := &kgo.Record{Topic: "t", Key: []byte("k"), Value: []byte("v"), Headers: []kgo.RecordHeader{{Key: "h"}}}
	f.Fuzz(func(t *testing.T, format string) {
		tmpl, err := newTemplate(format)
		if err == nil {
			tmpl.append(nil, &kgo.FetchPartition{}, r)
		}
	})
}

func TestRecordsSurviveJSON(t *testing.T) {
	r := &kgo.Record{
		Topic: "t", Timestamp: time.UnixMilli(12345), Key: []byte{0xff, 0}, Value: []byte(`<"\n&>`),
		Headers: []kgo.RecordHeader{{Key: "h", Value: []byte{0x80}}, {Key: "n"}, {Key: "e", Value: []byte{}}},
	}
	var line bytes.Buffer
	if err := command.Encode(&line, new(decoding).toJSON(r)); err != nil {
		t.Fatal(err)
	}
	var back kgo.Record
	if err := fromJSON(line.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(back.Key, r.Key) || !bytes.Equal(back.Value, r.Value) || !back.Timestamp.Equal(r.Timestamp) || len(back.Headers) != 3 {
		t.Fatalf("came back as %+v", back)
	}
	for i, h := range back.Headers {
		if h.Key != r.Headers[i].Key || !bytes.Equal(h.Value, r.Headers[i].Value) || (h.Value == nil) != (r.Headers[i].Value == nil) {
			t.Errorf("header %d came back as %+v", i, h)
		}
	}
}

func TestBadJSONRecords(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		err := fromJSON([]byte(line), &kgo.Record{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
	}
	f(`x`, "not a record in JSON")
	f(`[]`, "not a record in JSON")
	f(`{"value":"a","valueEncoding":"hex"}`, `value: unknown encoding "hex"`)
	f(`{"key":"%","keyEncoding":"base64"}`, "key: illegal base64")
	f(`{"headers":[{"key":"h","value":"%","valueEncoding":"base64"}]}`, `header "h"`)
}
