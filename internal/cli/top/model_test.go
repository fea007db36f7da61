package top

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cockroachdb/datadriven"
)

// TestScreen is a session at `ottla top`:
//
//	sample at=SECONDS      a look at the cluster: lines of topic, group or broker, with name and numbers
//	keys                   what is typed, as a Go string in each line
//	trouble at=SECONDS     why a look failed
//	screen width=W height=H   what is seen
func TestScreen(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		m := newModel()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "sample":
				var at int
				d.ScanArgs(t, "at", &at)
				m.take(parseSample(t, at, d.Input))
			case "keys":
				quits := false
				for _, k := range decode([]byte(unquote(t, d.Input))) {
					quits = m.press(k)
				}
				if quits {
					return "quits\n"
				}
			case "trouble":
				var at int
				d.ScanArgs(t, "at", &at)
				m.lose(moment(at), d.Input)
			case "screen":
				width, height := 100, 24
				d.MaybeScanArgs(t, "width", &width)
				d.MaybeScanArgs(t, "height", &height)
				lines := m.screen(width, height, nil)
				if len(lines) > height {
					t.Errorf("%d lines on a screen of %d", len(lines), height)
				}
				for _, l := range lines {
					if utf8.RuneCountInString(l) > max(width, 60) {
						t.Errorf("%q is wider than %d", l, width)
					}
				}
				return "|" + strings.Join(lines, "\n|") + "\n"
			default:
				t.Fatalf("unknown command %q", d.Cmd)
			}
			return ""
		})
	})
}

func unquote(t *testing.T, s string) string {
	t.Helper()
	s = strings.NewReplacer(`\e`, "\x1b", `\r`, "\r", `\t`, "\t", `\b`, "\x7f", `\c`, "\x03").Replace(s)
	return s
}

// moment is so many seconds behind noon.
func moment(at int) time.Time { return time.Date(2026, 1, 31, 12, 0, at, 0, time.UTC) }

func parseSample(t *testing.T, at int, text string) *sample {
	t.Helper()
	s := &sample{At: moment(at), Cluster: "test", Controller: 1}
	for line := range strings.SplitSeq(text, "\n") {
		var err error
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "topic":
			var x topic
			_, err = fmt.Sscan(rest, &x.Name, &x.Partitions, &x.Leaderless, &x.Lagging, &x.Records, &x.Written, &x.Bytes)
			s.Topics = append(s.Topics, x)
		case "group":
			var x group
			_, err = fmt.Sscan(rest, &x.Name, &x.State, &x.Topics, &x.Consumed, &x.Lag)
			s.Groups = append(s.Groups, x)
		case "broker":
			var x broker
			_, err = fmt.Sscan(rest, &x.ID, &x.Address, &x.Leaders, &x.Replicas, &x.Bytes)
			s.Brokers = append(s.Brokers, x)
		default:
			t.Fatalf("unknown line %q", line)
		}
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
	}
	return s
}

// Whatever a terminal sends, decoding ends, and what is typed is never lost to it.
func FuzzDecode(f *testing.F) {
	for s := range sequences {
		f.Add([]byte(s))
	}
	f.Add([]byte("q\x1b[Aö\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newModel()
		m.take(&sample{})
		for _, k := range decode(b) {
			m.press(k)
			m.screen(80, 24, nil)
		}
	})
}
