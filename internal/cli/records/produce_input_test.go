package records

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/twmb/franz-go/pkg/kgo"
)

func pieces(t *testing.T, s *splitter) [][]byte {
	t.Helper()
	var all [][]byte
	for {
		p, err := s.next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestSplitterKeepsEveryByte: the pieces of random input, joined by the delimiter, are the input, however it arrives.
func TestSplitterKeepsEveryByte(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		delim := [][]byte{{'\n'}, {0}, []byte("\r\n"), []byte("aab")}[rnd.IntN(4)]
		var want [][]byte
		for range rnd.IntN(20) {
			piece := make([]byte, rnd.IntN(50))
			for i := range piece {
				piece[i] = "xyz "[rnd.IntN(4)]
			}
			if rnd.IntN(50) == 0 {
				piece = bytes.Repeat([]byte("long "), slab/4)
			}
			want = append(want, piece)
		}
		input := bytes.Join(want, delim)
		if len(want) > 0 {
			input = append(input, delim...)
		}
		r := io.Reader(bytes.NewReader(input))
		switch rnd.IntN(3) {
		case 0:
			r = iotest.HalfReader(r)
		case 1:
			r = iotest.DataErrReader(r)
		}
		got := pieces(t, &splitter{r: r, delim: delim, limit: 4 * slab})
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("seed %d, delimiter %q: %d pieces came back as %d", seed, delim, len(want), len(got))
		}
	}
}

func TestSplitterBoundsMemory(t *testing.T) {
	s := &splitter{r: io.LimitReader(zeros{}, 1<<40), delim: []byte{'\n'}, limit: 1000}
	if _, err := s.next(); err == nil || !strings.Contains(err.Error(), "record 1 is longer than 1000 bytes") {
		t.Fatalf("got %v", err)
	}
	if cap(s.buf) > slab {
		t.Errorf("holds %d bytes", cap(s.buf))
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestPiecesAreNotOverwritten: what was given stays as it was when more is read.
func TestPiecesAreNotOverwritten(t *testing.T) {
	var input bytes.Buffer
	for i := range 100_000 {
		input.WriteByte(byte('a' + i%26))
		input.WriteString("0123456789\n")
	}
	got := pieces(t, &splitter{r: &input, delim: []byte{'\n'}, limit: 100})
	for i, p := range got {
		if p[0] != byte('a'+i%26) || len(p) != 11 {
			t.Fatalf("piece %d is %q", i, p)
		}
	}
	got[0] = append(got[0], '!') // a piece has no room to grow into its neighbour
	if got[1][0] != 'b' {
		t.Error("a piece grew into its neighbour")
	}
}

func TestReadErrorsComeThrough(t *testing.T) {
	boom := errors.New("boom")
	l := &lines{split: splitter{r: io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(boom)), delim: []byte{'\n'}, limit: 10}}
	var r kgo.Record
	if err := l.next(&r); err != nil || string(r.Value) != "a" {
		t.Fatalf("%q, %v", r.Value, err)
	}
	if err := l.next(&r); !errors.Is(err, boom) {
		t.Fatalf("got %v", err)
	}
}

func FuzzUnescape(f *testing.F) {
	for _, s := range []string{`\n`, `\x00`, `\xzz`, `\`, `\x`, `a\tb`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := unescape(s)
		if err == nil && len(b) > len(s) {
			t.Fatalf("%q grew to %q", s, b)
		}
	})
}

func FuzzRecordJSON(f *testing.F) {
	f.Add([]byte(`{"key":"a","value":"b","headers":[{"key":"h","value":null}],"timestamp":1}`))
	f.Fuzz(func(t *testing.T, line []byte) { _ = fromJSON(line, &kgo.Record{}) })
}
