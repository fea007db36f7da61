package compress

import (
	"bytes"
	stdgzip "compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

var codecs = []Codec{None, Gzip, Snappy, LZ4, Zstd}

// samples are inputs of the sizes where codecs change their ways: empty, one byte, about a block, many blocks; text and noise.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	text := bytes.Repeat([]byte("the log end offset is the offset that the next record will get; "), 50_000)
	return map[string][]byte{
		"empty": {}, "one": {7}, "short": text[:100], "block-1": text[:xerialBlock-1], "block": text[:xerialBlock], "block+1": text[:xerialBlock+1],
		"64k": text[:64<<10], "64k+1": text[:64<<10+1], "noise": noise, "3MB": text, "zeros": make([]byte, 5<<20),
	}
}

func TestRoundTrip(t *testing.T) {
	for name, src := range samples() {
		for _, c := range codecs {
			for _, level := range []int{DefaultLevel, 1, 5} {
				prefix := []byte("kept")
				packed, err := Compress(prefix, src, c, level)
				if err != nil {
					t.Fatalf("%s %s level %d: compress: %v", name, c, level, err)
				}
				if !bytes.HasPrefix(packed, prefix) {
					t.Fatalf("%s %s: dst was not kept", name, c)
				}
				got, err := Decompress([]byte("also"), packed[len(prefix):], c, len(src))
				if err != nil {
					t.Fatalf("%s %s level %d: decompress: %v", name, c, level, err)
				}
				if !bytes.Equal(got[4:], src) || !bytes.HasPrefix(got, []byte("also")) {
					t.Fatalf("%s %s level %d: %d bytes came back as %d others", name, c, level, len(src), len(got)-4)
				}
			}
		}
	}
}

func TestOutputIsLimited(t *testing.T) {
	for name, src := range samples() {
		if len(src) == 0 {
			continue
		}
		for _, c := range codecs {
			packed, err := Compress(nil, src, c, DefaultLevel)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Decompress(nil, packed, c, len(src)-1); !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s %s: got %v, want ErrTooLarge", name, c, err)
			}
		}
	}
}

func TestCutInputIsCorrupt(t *testing.T) {
	src := samples()["64k+1"]
	for _, c := range codecs[1:] {
		packed, err := Compress(nil, src, c, DefaultLevel)
		if err != nil {
			t.Fatal(err)
		}
		step := max(1, len(packed)/997)
		for n := 1; n < len(packed); n += step {
			got, err := Decompress(nil, packed[:n], c, len(src))
			if c == Snappy && err == nil && bytes.HasPrefix(src, got) && len(got)%xerialBlock == 0 {
				continue // xerial's framing has no end: a cut between blocks can't be seen
			}
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%s cut to %d of %d bytes: got %v, want ErrCorrupt", c, n, len(packed), err)
			}
		}
	}
}

// TestOthersReadUs has independent decoders read what Compress writes.
func TestOthersReadUs(t *testing.T) {
	for name, src := range samples() {
		packed := func(c Codec) []byte {
			b, err := Compress(nil, src, c, DefaultLevel)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		gz, err := stdgzip.NewReader(bytes.NewReader(packed(Gzip)))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name+" gzip", gz, src)
		equal(t, name+" lz4", lz4.NewReader(bytes.NewReader(packed(LZ4))), src)
		zs, err := zstd.NewReader(bytes.NewReader(packed(Zstd)))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name+" zstd", zs, src)
		zs.Close()
	}
}

// TestWeReadOthers reads what other encoders write: lz4 with checksums and large blocks, zstd streams without a size, bare snappy,
// several gzip members.
func TestWeReadOthers(t *testing.T) {
	for name, src := range samples() {
		f := func(c Codec, what string, packed []byte) {
			t.Helper()
			got, err := Decompress(nil, packed, c, len(src))
			if err != nil || !bytes.Equal(got, src) {
				t.Errorf("%s %s: %d of %d bytes, %v", name, what, len(got), len(src), err)
			}
		}
		for _, size := range []lz4.BlockSize{lz4.Block64Kb, lz4.Block256Kb, lz4.Block1Mb, lz4.Block4Mb} {
			var b bytes.Buffer
			w := lz4.NewWriter(&b)
			if err := w.Apply(lz4.BlockSizeOption(size), lz4.BlockChecksumOption(true), lz4.ChecksumOption(true), lz4.SizeOption(uint64(len(src)))); err != nil {
				t.Fatal(err)
			}
			write(t, w, src)
			f(LZ4, size.String(), b.Bytes())
		}
		var b bytes.Buffer
		for _, level := range []zstd.EncoderLevel{zstd.SpeedFastest, zstd.SpeedBestCompression} {
			b.Reset()
			w, err := zstd.NewWriter(&b, zstd.WithEncoderLevel(level), zstd.WithEncoderCRC(true), zstd.WithWindowSize(16<<20))
			if err != nil {
				t.Fatal(err)
			}
			write(t, w, src)
			f(Zstd, level.String(), b.Bytes())
		}
		f(Snappy, "raw", s2.EncodeSnappy(nil, src))
		b.Reset()
		half := len(src) / 2
		write(t, stdgzip.NewWriter(&b), src[:half])
		write(t, stdgzip.NewWriter(&b), src[half:])
		f(Gzip, "two members", b.Bytes())
	}
}

func TestClaimsAreNotBelieved(t *testing.T) {
	f := func(what string, c Codec, packed []byte, want error) {
		t.Helper()
		var got error
		allocated := testing.AllocsPerRun(1, func() { _, got = Decompress(nil, packed, c, 1<<40) })
		if !errors.Is(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
		_ = allocated
	}
	f("snappy of 4 GiB", Snappy, append(binary.AppendUvarint(nil, 1<<32-1), 0, 'x'), ErrCorrupt)
	f("snappy repeat of S2", Snappy, append(binary.AppendUvarint(nil, 12), 0x1c, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 0x01, 0x00), ErrCorrupt)
	zs := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0} // single segment, 64 GiB, one empty block
	f("zstd of 64 GiB", Zstd, zs, ErrCorrupt)
	f("zstd window of 2 GiB", Zstd, []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0}, ErrCorrupt)
	f("lz4 without a frame", LZ4, []byte("0123456789"), ErrCorrupt)
	f("codec 6", Codec(6), []byte("x"), ErrUnknownCodec)
}

// TestRepeatsAreFound looks for copies from distance 0 in blocks with many zeros, in both ways.
func TestRepeatsAreFound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 20_000 {
		var block []byte
		repeats := false
		for range r.IntN(6) {
			switch r.IntN(4) {
			case snappyLiteral:
				n := r.IntN(80) + 1
				if n <= 60 {
					block = append(block, byte(n-1)<<2)
				} else {
					block = append(block, 60<<2, byte(n-1))
				}
				for range n {
					block = append(block, byte(r.IntN(3)))
				}
			case snappyCopy1:
				high, low := r.IntN(8), r.IntN(2)
				block, repeats = append(block, byte(high<<5|snappyCopy1), byte(low)), repeats || high+low == 0
			case snappyCopy2:
				low, high := r.IntN(2), r.IntN(2)
				block, repeats = append(block, 7<<2|snappyCopy2, byte(low), byte(high)), repeats || high+low == 0
			case snappyCopy4:
				low, high := r.IntN(2), r.IntN(2)
				block, repeats = append(block, 7<<2|snappyCopy4, byte(low), 0, byte(high), 0), repeats || high+low == 0
			}
		}
		if got := checkSnappy(block) != nil; got != repeats || got && !mayRepeat(block) {
			t.Fatalf("% x: refused=%v, may repeat=%v, repeats=%v", block, got, mayRepeat(block), repeats)
		}
		if repeats {
			found++
		}
	}
	if found < 1000 {
		t.Errorf("only %d blocks had one", found)
	}
}

func TestLimit(t *testing.T) {
	f := func(n, most, want int) {
		t.Helper()
		if got := Limit(n, most); got != want {
			t.Errorf("Limit(%d, %d) = %d, want %d", n, most, got, want)
		}
	}
	f(10, 1<<31, 64<<20)
	f(1<<20, 1<<31, 1000<<20)
	f(1<<20, 5000, 5000)
}

func TestLevelsAreChecked(t *testing.T) {
	for _, c := range []Codec{Gzip, LZ4, Zstd} {
		if _, err := Compress(nil, []byte("x"), c, 99); err == nil {
			t.Errorf("%s took level 99", c)
		}
	}
	for i, c := range codecs {
		if got, err := Parse(c.String()); err != nil || got != codecs[i] {
			t.Errorf("Parse(%s) = %v, %v", c, got, err)
		}
	}
	if _, err := Parse("brotli"); !errors.Is(err, ErrUnknownCodec) {
		t.Errorf("Parse(brotli): %v", err)
	}
}

func TestXXH32(t *testing.T) {
	// Vectors of the reference implementation's documentation and of RFC-like test suites.
	f := func(s string, want uint32) {
		t.Helper()
		if got := xxh32([]byte(s)); got != want {
			t.Errorf("xxh32(%q) = %#x, want %#x", s, got, want)
		}
	}
	f("", 0x02cc5d05)
	f("a", 0x550d7456)
	f("abc", 0x32d153ff)
	f("Nobody inspects the spammish repetition", 0xe2293b2f)
}

func equal(t *testing.T, what string, r io.Reader, want []byte) {
	t.Helper()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d of %d bytes, %v", what, len(got), len(want), err)
	}
}

func write(t *testing.T, w io.WriteCloser, src []byte) {
	t.Helper()
	if _, err := w.Write(src); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func fuzz(f *testing.F, c Codec, seeds ...[]byte) {
	for _, src := range [][]byte{{}, []byte("a"), bytes.Repeat([]byte("abc"), 100), make([]byte, 100_000)} {
		packed, err := Compress(nil, src, c, DefaultLevel)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	for _, s := range seeds {
		f.Add(s)
	}
	const limit = 1 << 20
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Decompress(nil, b, c, limit)
		if len(got) > limit {
			t.Fatalf("%d bytes of output", len(got))
		}
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("unclassified error %v", err)
			}
			return
		}
		packed, err := Compress(nil, got, c, DefaultLevel)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decompress(nil, packed, c, limit)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%d bytes did not survive: %v", len(got), err)
		}
	})
}

func FuzzGzip(f *testing.F)   { fuzz(f, Gzip) }
func FuzzSnappy(f *testing.F) { fuzz(f, Snappy, s2.EncodeSnappy(nil, []byte("raw raw raw raw"))) }
func FuzzLZ4(f *testing.F)    { fuzz(f, LZ4) }
func FuzzZstd(f *testing.F)   { fuzz(f, Zstd) }

func BenchmarkDecompress(b *testing.B) {
	src := samples()["3MB"][:256<<10]
	for _, c := range codecs {
		packed, err := Compress(nil, src, c, DefaultLevel)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.String(), func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := NewReader(packed, c, len(src))
				if err != nil {
					b.Fatal(err)
				}
				for err == nil {
					_, err = r.Next()
				}
				r.Close()
			}
		})
	}
}
