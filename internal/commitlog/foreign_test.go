package commitlog

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// What only has the name of a segment, and is a folder or a pipe, is left alone, as by Kafka.
func TestOnlyFilesAreSegments(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "t-0")
	l, _, err := Open(vfs.OS{}, dir, options(small()))
	must(t, err)
	fill(t, l, 10, 3)
	end := l.LogEndOffset()
	must(t, l.Close(testStart))
	must(t, unix.Mkfifo(filepath.Join(dir, segment.FileName(777777, segment.LogSuffix)), 0o600))
	must(t, os.Mkdir(filepath.Join(dir, segment.FileName(888888, segment.LogSuffix)), 0o700))
	l, _, err = Open(vfs.OS{}, dir, options(small()))
	must(t, err)
	defer l.Close(testStart)
	if got := l.LogEndOffset(); got != end {
		t.Errorf("the log ends at %d, want %d", got, end)
	}
	fill(t, l, 10, 3)
}
