package machine

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Memory that nobody has touched costs its first user 0.3 to 2 CPU-s/GiB on a virtual machine, more than the server does; freed memory
// goes back to the host some seconds later, and costs that again, also what the kernel frees for a server that writes. So the page
// cache is kept full, and what a run will fill is held back until the run begins.
const (
	wantFree = 700 << 20  // the cache is full when less is free
	much     = 1500 << 20 // and wants filling again when more is
)

// Fill keeps memory from the host: a file that keeps the page cache full, and memory that is given away when a run begins.
type Fill struct {
	file *os.File
	size int64
	at   int64 // where Top goes on reading
	held []byte
}

// NewFill holds back so many bytes, and writes a file until little memory is free, of most bytes at the most.
func NewFill(ctx context.Context, path string, held, most int64) (*Fill, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	fill := &Fill{file: f}
	if fill.held, err = unix.Mmap(-1, 0, int(held), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON); err != nil {
		return fill, err
	}
	if err := fill.hold(); err != nil {
		return fill, err
	}
	block := make([]byte, 4<<20)
	for i := range block {
		block[i] = byte(i * 7)
	}
	for fill.size < most && ctx.Err() == nil {
		free, err := Free()
		if err != nil || free < wantFree {
			return fill, err
		}
		n, err := f.Write(block)
		fill.size += int64(n)
		if err != nil {
			return fill, err
		}
	}
	return fill, errors.Join(f.Sync(), ctx.Err())
}

// Size is the file's size in bytes.
func (f *Fill) Size() int64 { return f.size }

// hold touches the memory that is held back.
func (f *Fill) hold() error { return unix.Madvise(f.held, unix.MADV_POPULATE_WRITE) }

// Give frees what is held back, for a run that begins now.
func (f *Fill) Give() error {
	if f == nil {
		return nil
	}
	return unix.Madvise(f.held, unix.MADV_DONTNEED)
}

// Top takes back what was given, and reads of the file until little memory is free again, once around at the most.
func (f *Fill) Top() error {
	if f == nil || f.size == 0 {
		return nil
	}
	if err := f.hold(); err != nil {
		return err
	}
	free, err := Free()
	if err != nil || free < much {
		return err
	}
	block := make([]byte, 4<<20)
	for read := int64(0); read < f.size; {
		n, err := f.file.ReadAt(block, f.at)
		read, f.at = read+int64(n), f.at+int64(n)
		if errors.Is(err, io.EOF) {
			f.at, err = 0, nil
		}
		if err != nil {
			return err
		}
		if free, err = Free(); err != nil || free < wantFree {
			return err
		}
	}
	return nil
}

// Close removes the file.
func (f *Fill) Close() error {
	if f == nil {
		return nil
	}
	return errors.Join(f.file.Close(), os.Remove(f.file.Name()), unix.Munmap(f.held))
}

// Read brings all files below a folder into the page cache.
func Read(dir string) error {
	block := make([]byte, 4<<20)
	return walk(dir, func(f *os.File) error {
		for {
			if _, err := f.Read(block); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	})
}

// Forget writes all files below a folder to the disk and takes them out of the page cache.
func Forget(dir string) error {
	unix.Sync()
	return walk(dir, func(f *os.File) error { return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) })
}

// walk visits all files below a folder; one that is gone meanwhile is none.
func walk(dir string, visit func(*os.File) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return ignoreGone(err)
		}
		defer f.Close()
		return visit(f)
	})
}

// Size adds up what the files below a folder take on the disk.
func Size(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return ignoreGone(err)
		}
		sum += st.Blocks * 512
		return nil
	})
	return sum, err
}

func ignoreGone(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// Space is how many bytes of the disk that a folder is on are left.
func Space(dir string) (int64, error) {
	var st unix.Statfs_t
	err := unix.Statfs(dir, &st)
	return int64(st.Bavail) * st.Bsize, err
}
