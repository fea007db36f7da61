package transport

import (
	"bytes"
	"crypto/rand"
	"io"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// coldDisk has all file ranges of a test come from the disk, and counts the reads of it.
func coldDisk(t *testing.T, turns int) (*disk, *atomic.Int32) {
	reads := new(atomic.Int32)
	d := &disk{turns: make(chan struct{}, turns), now: time.Now, look: func(uintptr, int64, int64) presence { return cold }, advise: func(uintptr, bool) {}}
	d.read = func(fd uintptr, p []byte, pos int64) (int, error) {
		reads.Add(1)
		return unix.Pread(int(fd), p[:min(len(p), 700_000)], pos) // in pieces, as a system may
	}
	d.busy.Store(math.MaxInt64) // always
	before := theDisk
	theDisk = d
	t.Cleanup(func() { theDisk = before })
	return d, reads
}

// TestColdRanges sends ranges that are not in the page cache: the same bytes, by way of the buffers while there are any.
func TestColdRanges(t *testing.T) {
	content := make([]byte, 3<<20)
	rand.Read(content)
	for name, taken := range map[string]int32{"buffers": 0, "one buffer": maxColdBuffers - 1, "no buffer": maxColdBuffers} {
		t.Run(name, func(t *testing.T) {
			respond, want, live := rangesOf(openedFile(t, content), content)
			d, reads := coldDisk(t, 1)
			d.buffers.Store(taken)
			l := serve(t, testOptions(), func(r *Request) { r.Reply(respond()) })
			nc := dial(t, l)
			for range 2 {
				nc.Write(frame([]byte("fetch")))
				expect(t, nc, want)
			}
			drain(t, l)
			if n := reads.Load(); (n == 0) != (taken == maxColdBuffers) || taken == 0 && n != 2*11 {
				t.Errorf("%d reads", n)
			}
			if d.buffers.Load() != taken || live.Load() != 0 || len(d.turns) != 0 {
				t.Errorf("%d buffers, %d ranges and %d turns were not given back", d.buffers.Load()-taken, live.Load(), len(d.turns))
			}
		})
	}
}

// TestColdReaderAlone: while nothing else has moved for a second, ranges that are not in memory go by sendfile; a producer, or a reader of what is in
// memory, ends that.
func TestColdReaderAlone(t *testing.T) {
	f := openedFile(t, make([]byte, 3<<20))
	d, reads := coldDisk(t, 1)
	var now atomic.Int64 // nanoseconds; the connection's goroutine looks at it
	now.Store(1000e9)
	d.now = func() time.Time { return time.Unix(0, now.Load()) }
	var end atomic.Int64 // of what is not in memory
	end.Store(3 << 20)
	d.look = func(_ uintptr, pos, _ int64) presence {
		if pos < end.Load() {
			return cold
		}
		return hot
	}
	var farther atomic.Bool // was the system told to read
	d.advise = func(fd uintptr, alone bool) { farther.Store(alone && fd == f.Fd()) }
	l, _ := serveRange(t, f, 3<<20)
	nc := dial(t, l)
	fetch := func(what string, aside bool) {
		t.Helper()
		reads.Store(0)
		farther.Store(false)
		nc.Write(frame([]byte("fetch")))
		if got := readFrame(t, nc); len(got) != 3<<20 {
			t.Fatalf("got %d bytes", len(got))
		}
		if (reads.Load() > 0) != aside {
			t.Errorf("%s: %d reads aside", what, reads.Load())
		}
		if farther.Load() != (!aside && end.Load() > 0) {
			t.Errorf("%s: told to read farther ahead: %v", what, farther.Load())
		}
	}
	d.busy.Store(now.Load())
	fetch("others have just moved something", true)
	now.Add(int64(2 * aloneAfter))
	fetch("nobody has for a while", false)
	d.touch()
	now.Add(int64(aloneAfter / 2))
	fetch("somebody has since", true)
	now.Add(int64(aloneAfter))
	fetch("nobody has for a while again", false)
	end.Store(1 << 20)
	fetch("the end of the file was read ahead", false)
	fetch("it was not taken for what others need", false)
	end.Store(0)
	fetch("the reader comes back for a batch that was cut", false)
	end.Store(2 << 20)
	fetch("that was nobody else", false)
	end.Store(0)
	fetch("all is in memory", false)
	end.Store(3 << 20)
	fetch("somebody else has read it there", true)
}

// TestAStalledColdReaderHoldsNobodyUp: who does not read what comes from the disk for him holds two buffers and no turn.
func TestAStalledColdReaderHoldsNobodyUp(t *testing.T) {
	f := openedFile(t, make([]byte, 16<<20))
	d, _ := coldDisk(t, 1)
	l, _ := serveRange(t, f, 16<<20)
	stalled := dial(t, l)
	stalled.Write(frame([]byte("fetch")))
	if _, err := io.ReadFull(stalled, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	other := dial(t, l)
	for range 2 {
		other.Write(frame([]byte("fetch")))
		if got := readFrame(t, other); len(got) != 16<<20 {
			t.Fatalf("got %d bytes", len(got))
		}
	}
	if n := d.buffers.Load(); n > 3 { // its own, and the one that was sent just now
		t.Errorf("it holds %d buffers", n)
	}
}

// TestColdRangeOfAShortFile ends the connection, since what was promised can't be sent, and gives everything back.
func TestColdRangeOfAShortFile(t *testing.T) {
	f := openedFile(t, make([]byte, 1<<20+100))
	d, _ := coldDisk(t, 1)
	l, live := serveRange(t, f, 3<<20)
	nc := dial(t, l)
	nc.Write(frame([]byte("fetch")))
	if n, err := io.Copy(io.Discard, nc); n != sizePrefix+1<<20 {
		t.Errorf("%d bytes came, %v", n, err)
	}
	if d.buffers.Load() != 0 || live.Load() != 0 {
		t.Errorf("%d buffers and %d ranges were not given back", d.buffers.Load(), live.Load())
	}
}

// TestReadingAside: what was not in the page cache is not in it afterwards, in both ways, and what was stays.
func TestReadingAside(t *testing.T) {
	content := make([]byte, 2<<20)
	rand.Read(content)
	f := openedFile(t, content)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if look(f.Fd(), 0, 1<<20) == cold {
		t.Error("what was just written seems not to be in the page cache")
	}
	for name, read := range map[string]func(uintptr, []byte, int64) (int, error){"told before": readAside, "told after": readAndDrop} {
		t.Run(name, func(t *testing.T) {
			if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
				t.Fatal(err)
			}
			before := look(f.Fd(), 0, 1<<20)
			p := make([]byte, 1<<20)
			if n, err := read(f.Fd(), p, 1<<19); n != len(p) || err != nil || !bytes.Equal(p, content[1<<19:3<<19]) {
				t.Errorf("%d bytes, %v, or they differ", n, err)
			}
			if after := look(f.Fd(), 1<<19, 1<<20); after != before {
				t.Errorf("in the page cache %v before, %v after", before, after)
			}
			if before != cold {
				t.Skip("read, and what was in the page cache stayed; the rest needs a file system on a disk, and Linux 6.5")
			}
		})
	}
}

func TestLookingForPagesDoesNotAllocate(t *testing.T) {
	f := openedFile(t, make([]byte, 1<<20))
	fd := f.Fd()
	if n := testing.AllocsPerRun(100, func() { look(fd, 0, 1<<20) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
