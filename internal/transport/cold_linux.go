package transport

import (
	"io"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// rangeChunk is how much of a file range is looked for in the page cache, and sent, at a time, in bytes.
	rangeChunk = 1 << 20
	// coldSample is the size of the place that is looked for farther on in the file, in bytes.
	coldSample = 64 << 10
	// readAhead is farther than the system reads ahead in a file, in bytes.
	readAhead = 64 << 20
	// stepBack is how far a reader may come back for the batch that an answer has cut, in bytes: the largest by default (max.message.bytes).
	stepBack = 1 << 20
	// aloneAfter is how long nothing but cold ranges must have moved before a reader of old records counts as the only one.
	aloneAfter = time.Second
	// touchEvery is how exactly it is known when something else moved.
	touchEvery = aloneAfter / 10
	// busyFrame is how much of a request says that somebody writes, in bytes.
	busyFrame = 1 << 10
	// maxColdBuffers bounds the chunks that are read from the disk and not sent yet, of all connections.
	maxColdBuffers = 64
	// trails is of how many files it is known where readers of old records are.
	trails = 64
)

// disk keeps file ranges that are not in the page cache from those that are. A chunk that has to come from the disk is
// read into a buffer, by no more than a few goroutines at a time, so that those who wait for the disk don't hold up the
// others, and leaves the page cache as it was, so that no other range is pushed out of it. It is sent after that: a peer
// that is slow holds a buffer and nobody's turn. If all buffers are taken, sendfile does both; and so it does while there is nobody to be held up: it
// costs less, and the system reads ahead.
type disk struct {
	busy    atomic.Int64  // when something else than cold ranges moved last, in unix nanoseconds
	trails  [trails]trail // of files, by descriptor; where two share a place or a number, one after the other, the later one has it
	turns   chan struct{} // one for each read that runs
	buffers atomic.Int32
	now     func() time.Time
	look    func(fd uintptr, pos, n int64) presence
	read    func(fd uintptr, p []byte, pos int64) (int, error)
	advise  func(fd uintptr, alone bool)
}

// presence is what is known of a file range.
type presence int

const (
	unknown presence = iota // the system can't tell, or the range goes by sendfile although it is cold
	hot                     // in the page cache, so that sendfile waits for no disk
	trailed                 // likewise, but read ahead of a reader of old records: that does not count as somebody else
	cold
)

// trail is how far the system may have read ahead of a reader of old records.
type trail struct {
	file  atomic.Int64 // the descriptor
	until atomic.Int64 // position, exclusive
}

// theDisk is of the process: turns and buffers are bounds of the machine's.
var theDisk = newDisk()

// newDisk lets two to four read at a time.
func newDisk() *disk {
	return &disk{now: time.Now, turns: make(chan struct{}, min(max(runtime.GOMAXPROCS(0), 2), 4)), look: look, read: readAside, advise: advise}
}

// found is what fetch has done about a chunk: buf holds it if it is cold, and is to be given to release.
type found struct {
	presence presence
	buf      *Buffer
	err      error
}

// fetch reads a chunk of a file if it has to come from the disk.
func (d *disk) fetch(c chunk) found {
	switch p := d.look(c.file, c.pos, int64(c.size)); {
	case p == hot && d.trailing(c):
		return found{presence: trailed}
	case p != cold:
		return found{presence: p}
	}
	t := &d.trails[c.file%trails]
	t.file.Store(int64(c.file))
	t.until.Store(c.pos + int64(c.size) + readAhead)
	alone := d.alone()
	if d.advise(c.file, alone); alone {
		return found{}
	}
	if d.buffers.Add(1) > maxColdBuffers {
		d.buffers.Add(-1)
		return found{}
	}
	d.turns <- struct{}{}
	buf, err := d.fill(NewBuffer(c.size), c.file, c.pos, c.size)
	<-d.turns
	if err != nil {
		d.release(buf)
		return found{err: err}
	}
	return found{presence: cold, buf: buf}
}

// trailing reports whether a chunk is in the page cache because the system read it ahead of a reader of old records, or this reader was just there:
// the last ones of a file look like those that others need, and a reader comes back for the batch that an answer has cut.
func (d *disk) trailing(c chunk) bool {
	t := &d.trails[c.file%trails]
	until := t.until.Load()
	return t.file.Load() == int64(c.file) && until-readAhead-stepBack <= c.pos && c.pos < until
}

// copied notes that a small range is read into memory, which holds up nobody for long wherever it is.
func (d *disk) copied(c chunk) {
	if !d.trailing(c) {
		d.touch()
	}
}

// touch notes that records which are in memory are sent, or new ones come.
func (d *disk) touch() {
	now := d.now().UnixNano()
	if now-d.busy.Load() > int64(touchEvery) { // all connections share it: it is mostly read
		d.busy.Store(now)
	}
}

// alone reports whether nobody but readers of old records has moved anything for a while.
func (d *disk) alone() bool { return d.now().UnixNano()-d.busy.Load() > int64(aloneAfter) }

func (d *disk) fill(buf *Buffer, fd uintptr, pos int64, n int) (*Buffer, error) {
	for len(buf.B) < n {
		got, err := d.read(fd, buf.B[len(buf.B):n], pos+int64(len(buf.B)))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return buf, err
		case got == 0:
			return buf, io.ErrUnexpectedEOF // the file is shorter than the range: what was promised can't be sent
		}
		buf.B = buf.B[:len(buf.B)+max(got, 0)]
	}
	return buf, nil
}

func (d *disk) release(buf *Buffer) {
	buf.Release()
	d.buffers.Add(-1)
}

// chunk is a part of a file range.
type chunk struct {
	file uintptr
	pos  int64 // in the file
	size int
	end  int64 // of the chunk, from the start of the range
}

// firstChunk returns where a range begins, and false if it is small or has no descriptor: then it is copied.
func firstChunk(h Hole) (chunk, bool) {
	file, pos, ok := h.Range.File()
	n := h.Range.Len()
	size := min(n, rangeChunk)
	return chunk{file, pos, int(size), size}, ok && n > copyBelow
}

// next returns the chunk that follows in a range of so many bytes, and false after the last.
func (c chunk) next(length int64) (chunk, bool) {
	size := min(length-c.end, rangeChunk)
	return chunk{c.file, c.pos + int64(c.size), int(size), c.end + size}, size > 0
}

// ahead is the chunk that a connection's next send needs, while it is read. It is the sender's.
type ahead struct {
	chunk chunk
	done  chan struct{} // nil if there is none
	found found
}

// begin has a chunk read.
func (a *ahead) begin(d *disk, c chunk) {
	done := make(chan struct{})
	a.chunk, a.done = c, done
	go func() {
		defer close(done)
		a.found = d.fetch(c)
	}()
}

// take returns a chunk as fetch does.
func (a *ahead) take(d *disk, c chunk) found {
	if a.done == nil {
		return d.fetch(c)
	}
	<-a.done // it is c that was begun
	f := a.found
	*a = ahead{}
	return f
}

// drop waits for what was begun and is of no use: its file must not be closed before.
func (a *ahead) drop(d *disk) {
	if a.done == nil {
		return
	}
	if f := a.take(d, a.chunk); f.buf != nil {
		d.release(f.buf)
	}
}

// look says whether a chunk is in the page cache, and not only because the system reads ahead of somebody in this file: then
// what lies farther away than that is not. Systems before Linux 6.5 can't tell.
func look(fd uintptr, pos, n int64) presence {
	if p := lookAt(fd, pos, n); p != hot {
		return p
	}
	size, err := fileSize(fd)
	if err != nil {
		return hot
	}
	far := min(pos+n+readAhead, size-coldSample)
	if far < pos+n {
		return hot
	}
	return lookAt(fd, far, coldSample)
}

func lookAt(fd uintptr, pos, n int64) presence {
	switch pages, err := cachedPages(fd, pos, n); {
	case err != nil:
		return unknown
	case pages < n/int64(unix.Getpagesize()):
		return cold
	}
	return hot
}

// advise has the system read twice as far ahead in a file for a reader who is alone: beside others that would be their disk.
func advise(fd uintptr, alone bool) {
	advice := unix.FADV_NORMAL
	if alone {
		advice = unix.FADV_SEQUENTIAL
	}
	_ = unix.Fadvise(int(fd), 0, 0, advice) // it is only advice
}

// rwfDontCache has a read leave the page cache as it was (Linux 6.14).
const rwfDontCache = 0x80

// readAside reads from a file without leaving in the page cache what was not there.
func readAside(fd uintptr, p []byte, pos int64) (int, error) {
	part := unix.Iovec{Base: unsafe.SliceData(p)}
	part.SetLen(len(p))
	n, _, errno := unix.Syscall6(unix.SYS_PREADV2, fd, uintptr(unsafe.Pointer(&part)), 1, uintptr(pos), 0, rwfDontCache)
	switch errno {
	case 0:
		return int(n), nil
	case unix.EOPNOTSUPP, unix.ENOSYS, unix.EINVAL: // of the kernel, or of this file system
		return readAndDrop(fd, p, pos)
	}
	return 0, errno
}

// readAndDrop is readAside where the system has to be told afterwards.
func readAndDrop(fd uintptr, p []byte, pos int64) (int, error) {
	n, err := unix.Pread(int(fd), p, pos)
	if n > 0 {
		_ = unix.Fadvise(int(fd), pos, int64(n), unix.FADV_DONTNEED) // it is only advice
	}
	return n, err
}
