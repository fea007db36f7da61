package transport

import (
	"io"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// rangeChunk is how much of a file range is looked for in the page cache, and sent, at a time, in bytes.
	rangeChunk = 1 << 20
	// coldSample is the size of each place that is looked for, in bytes: in the middle of a chunk, at its end and
	// farther on. The beginning says little: whoever looked up the range has read there.
	coldSample = 64 << 10
	// readAhead is farther than the system reads ahead in a file, in bytes.
	readAhead = 32 << 20
	// maxColdBuffers bounds the chunks that are read from the disk and not sent yet, of all connections.
	maxColdBuffers = 64
)

// disk keeps file ranges that are not in the page cache from those that are. A chunk that has to come from the disk is
// read into a buffer, by no more than a few goroutines at a time, so that those who wait for the disk don't hold up the
// others, and leaves the page cache as it was, so that no other range is pushed out of it. It is sent after that: a peer
// that is slow holds a buffer and nobody's turn. If all buffers are taken, sendfile does both.
type disk struct {
	turns   chan struct{} // one for each read that runs
	buffers atomic.Int32
	cached  func(fd uintptr, pos, n int64) bool
	read    func(fd uintptr, p []byte, pos int64) (int, error)
}

// theDisk is of the process: turns and buffers are bounds of the machine's.
var theDisk = newDisk()

// newDisk lets two to four read at a time.
func newDisk() *disk {
	return &disk{turns: make(chan struct{}, min(max(runtime.GOMAXPROCS(0), 2), 4)), cached: cached, read: readAside}
}

// fetch returns a chunk of a file in a buffer, to be given to release, if it has to be read from the disk; else nil.
func (d *disk) fetch(fd uintptr, pos int64, n int) (*Buffer, error) {
	if d.cached(fd, pos, int64(n)) {
		return nil, nil
	}
	if d.buffers.Add(1) > maxColdBuffers {
		d.buffers.Add(-1)
		return nil, nil
	}
	d.turns <- struct{}{}
	buf, err := d.fill(NewBuffer(n), fd, pos, n)
	<-d.turns
	if err != nil {
		d.release(buf)
		return nil, err
	}
	return buf, nil
}

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
	buf   *Buffer
	err   error
}

// begin has a chunk read.
func (a *ahead) begin(d *disk, c chunk) {
	done := make(chan struct{})
	a.chunk, a.done = c, done
	go func() {
		defer close(done)
		a.buf, a.err = d.fetch(c.file, c.pos, c.size)
	}()
}

// take returns a chunk as fetch does.
func (a *ahead) take(d *disk, c chunk) (*Buffer, error) {
	if a.done == nil {
		return d.fetch(c.file, c.pos, c.size)
	}
	<-a.done // it is c that was begun
	buf, err := a.buf, a.err
	*a = ahead{}
	return buf, err
}

// drop waits for what was begun and is of no use: its file must not be closed before.
func (a *ahead) drop(d *disk) {
	if a.done == nil {
		return
	}
	if buf, _ := a.take(d, a.chunk); buf != nil {
		d.release(buf)
	}
}

// cached reports whether a chunk seems to be in the page cache, and not only because the system reads ahead of somebody
// in this file: then its end, or what lies farther away than that, is not. Where the system can't tell (before Linux
// 6.5) it says yes.
func cached(fd uintptr, pos, n int64) bool {
	size := min(n, coldSample)
	if !sampleCached(fd, pos+n-size, size) || n > 2*coldSample && !sampleCached(fd, pos+n/2, size) {
		return false
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(fd), &st); err != nil {
		return true
	}
	far := min(pos+n+readAhead, st.Size-coldSample)
	return far < pos+n || sampleCached(fd, far, coldSample)
}

func sampleCached(fd uintptr, pos, n int64) bool {
	var st unix.Cachestat_t
	if err := unix.Cachestat(uint(fd), &unix.CachestatRange{Off: uint64(pos), Len: uint64(n)}, &st, 0); err != nil {
		return true
	}
	return int64(st.Cache) >= n/int64(unix.Getpagesize())
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
