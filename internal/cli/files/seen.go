package files

import (
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/ottla/ottla/internal/cli/command"
)

// seen tells a person how much of the files was read.
type seen struct {
	command.Line
	bytes int64
}

// add counts what was read.
func (s *seen) add(n int) {
	s.bytes += int64(n)
	if !s.Due() {
		return
	}
	took := s.Took()
	rate := int64(float64(s.bytes) / took.Seconds())
	s.Show(fmt.Sprintf("read %s… in %s, %s/s", command.Size(s.bytes), took.Round(time.Millisecond), command.Size(rate)))
}

// folder is a folder whose reads are seen.
type folder struct {
	fs.FS
	seen *seen
}

// Open implements fs.FS.
func (f folder) Open(name string) (fs.File, error) {
	opened, err := f.FS.Open(name)
	if plain, ok := opened.(*os.File); ok {
		return file{plain, f.seen}, nil
	}
	return opened, err
}

// file is a file whose reads are seen.
type file struct {
	*os.File
	seen *seen
}

// ReadAt implements io.ReaderAt.
func (f file) ReadAt(b []byte, at int64) (int, error) {
	n, err := f.File.ReadAt(b, at)
	f.seen.add(n)
	return n, err
}
