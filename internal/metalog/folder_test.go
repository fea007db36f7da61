package metalog

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// A pipe with the name of a segment is left alone: to open it is to wait for ever.
func TestPipeIsNoSegment(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mkfifo(filepath.Join(dir, segment.FileName(0, segment.LogSuffix)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := logFiles(vfs.OS{}, dir); len(got) > 0 {
		t.Errorf("segments: %v", got)
	}
}
