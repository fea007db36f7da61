package console

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/twmb/franz-go/pkg/kgo"
)

// show is a record as the default formatter has it, with everything printed.
func show(t *testing.T, r *kgo.Record) string {
	t.Helper()
	f, _, err := NewFormatter(DefaultFormatter, map[string]string{"print.key": "true", "print.headers": "true", "key.separator": "|", "line.separator": "", "null.literal": "∅"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := bufio.NewWriter(&b)
	if err := f.Write(out, r); err != nil {
		t.Fatal(err)
	}
	_ = out.Flush()
	return b.String()
}

// Lines end at \n, \r or both, whatever pieces they come in; long ones are read whole.
func TestLines(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	f := func(in string, want ...string) {
		t.Helper()
		for _, source := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in)), iotest.HalfReader(strings.NewReader(in))} {
			r, err := NewLineReader(source, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range want {
				rec, err := r.Next()
				if err != nil || string(rec.Value) != w {
					t.Fatalf("%.40q gives %v, %v; want %.40q", in, rec, err, w)
				}
			}
			if _, err := r.Next(); !errors.Is(err, io.EOF) {
				t.Fatalf("%.40q ends with %v", in, err)
			}
		}
	}
	f("")
	f("a", "a")
	f("a\n", "a")
	f("a\n\nb\n", "a", "", "b")
	f("a\r\nb\rc\r", "a", "b", "c")
	f("\r\r\n\n", "", "", "")
	f(long+"\n"+long, long, long)
	f("\xff\xfe\n", "\ufffd\ufffd")
}

func TestFields(t *testing.T) {
	f := func(props, line, want string) {
		t.Helper()
		given := map[string]string{}
		for p := range strings.SplitSeq(props, " ") {
			k, v, _ := strings.Cut(p, "=")
			given[k] = v
		}
		r, err := NewLineReader(strings.NewReader(line+"\n"), given)
		got := ""
		if err == nil {
			var rec *kgo.Record
			if rec, err = r.Next(); err == nil {
				got = show(t, rec)
			}
		}
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%s: %q gives %q, want %q", props, line, got, want)
		}
	}
	f("parse.key=true", "k\tv\tw", "NO_HEADERS|k|v\tw")
	f("parse.key=TRUE key.separator=::", "k::v", "NO_HEADERS|k|v")
	f("parse.key=true", "v", "error: No key separator found on line number 1: 'v'")
	f("parse.key=true ignore.error=true", "v", "NO_HEADERS|∅|v")
	f("parse.headers=true", "a:1,b:\tv", "a:1,b:|∅|v")
	f("parse.headers=true", "v", "error: No headers delimiter found on line number 1: 'v'")
	f("parse.headers=true", "a\tv", "error: No header key separator found in pair 'a' on line number 1")
	f("parse.headers=true ignore.error=true", "a,,b:2,,\tv", "a:∅,:∅,b:2|∅|v")
	f("parse.headers=true headers.separator=[;,]", "a:1;b:2,c:3\tv", "a:1,b:2,c:3|∅|v")
	f("parse.headers=true parse.key=true null.marker=N", "N\tN\tN", "NO_HEADERS|∅|∅")
	f("parse.headers=true null.marker=N", "a:N\tv", "a:∅|∅|v")
	f("parse.headers=true null.marker=N", "N:a\tv", "error: Header keys should not be equal to the null marker 'N' as they can't be null")
	f("headers.delimiter=, x=y", "v", "error: headers.delimiter and headers.separator may not be equal")
	f("headers.delimiter=:", "v", "error: headers.delimiter and headers.key.separator may not be equal")
	f("headers.separator=:", "v", "error: headers.separator and headers.key.separator may not be equal")
	f("null.marker=x key.separator=x", "v", "error: null.marker and key.separator may not be equal")
	f("null.marker=:", "v", "error: null.marker and headers.key.separator may not be equal")
}

func TestDeserializers(t *testing.T) {
	f := func(class, b, want string) {
		t.Helper()
		d, err := deserializerOf(serialization + class + "Deserializer")
		got := ""
		if err == nil {
			got, err = d([]byte(b))
		}
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%s of %q is %q, want %q", class, b, got, want)
		}
	}
	f("String", "a\xff", "a\ufffd")
	f("Bytes", "a\n\\", `a\x0A\x5C`)
	f("Short", "\xff\xfe", "-2")
	f("Integer", "\x00\x00\x01\x00", "256")
	f("Integer", "abc", "error: Size of data received by IntegerDeserializer is not 4")
	f("Long", "\xff\xff\xff\xff\xff\xff\xff\xff", "-1")
	f("Float", "\x3f\x8c\xcc\xcd", "1.1")
	f("Double", "\x3f\xf0\x00\x00\x00\x00\x00\x00", "1.0")
	f("Boolean", "\x01", "true")
	f("Boolean", "\x05", "error: Unexpected byte received by BooleanDeserializer: 5")
	f("Boolean", "", "error: Size of data received by BooleanDeserializer is not 1")
	f("UUID", "F81D4FAE-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
	f("UUID", "1-2-3-4-5", "00000001-0002-0003-0004-000000000005")
	f("UUID", "x-2-3-4-5", "error: Error parsing data into UUID")
	f("UUID", "none", "error: Error parsing data into UUID")
	f("Void", "", "error: Data should be null for a VoidDeserializer.")
	f("ByteBuffer", "abc", "java.nio.HeapByteBuffer[pos=0 lim=3 cap=3]")
	f("Odd", "", "error: "+serialization+"OddDeserializer: no such class")
}

func TestFormatters(t *testing.T) {
	record := func() *kgo.Record { return &kgo.Record{Partition: 2, Offset: 7, Key: []byte("k"), Value: []byte("v")} }
	f := func(class, props, want string) {
		t.Helper()
		given := map[string]string{}
		for p := range strings.FieldsSeq(props) {
			k, v, _ := strings.Cut(p, "=")
			given[k] = v
		}
		format, warnings, err := NewFormatter(formatterPackage+class, maps.Clone(given))
		got := strings.Join(warnings, ", ")
		if err == nil {
			var b bytes.Buffer
			out := bufio.NewWriter(&b)
			err = format.Write(out, record())
			_ = out.Flush()
			got += b.String()
		}
		if err != nil {
			got += "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%s %s: %q, want %q", class, props, got, want)
		}
	}
	f("DefaultMessageFormatter", "", "v\n")
	f("LoggingMessageFormatter", "print.key=true", "k\tv\n")
	f("DefaultMessageFormatter", "print.value=false", "")
	f("DefaultMessageFormatter", "print.value=false print.partition=true", "Partition:2\n")
	f("DefaultMessageFormatter", "print.offset=true print.delivery=true print.epoch=true key.separator=,", "Offset:7,Delivery:NOT_PRESENT,Epoch:NOT_PRESENT,v\n")
	f("DefaultMessageFormatter", "print.timestamp=true print.value=false", "CreateTime:-62135596800000\n")
	f("DefaultMessageFormatter", "value.deserializer=x", "Unable to instantiate a deserializer from xv\n")
	f("NoOpMessageFormatter", "", "")
	f("OffsetsMessageFormatter", "", "error: Could not read record at offset 7 due to: type of a group record: the bytes end too early")
	f("OddMessageFormatter", "", "error: "+formatterPackage+"OddMessageFormatter: no such class")
}

// What comes from outside never panics.
func FuzzLines(f *testing.F) {
	f.Add("a:1\tk\tv\r\n", "x")
	f.Fuzz(func(t *testing.T, in, marker string) {
		r, err := NewLineReader(strings.NewReader(in), map[string]string{"parse.key": "true", "parse.headers": "true", "ignore.error": "true", "null.marker": marker})
		if err != nil {
			return
		}
		for range len(in) + 1 {
			if _, err := r.Next(); errors.Is(err, io.EOF) {
				return
			}
		}
		t.Fatal("it does not end")
	})
}
