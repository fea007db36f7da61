package metalog

import (
	"fmt"
	"io"
	"path"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/vfs"
)

// Fetch writes a snapshot, whose bytes fetch gives, so that it is there whole and synced, or not at all, and reads it.
func Fetch(f vfs.FS, dir string, id SnapshotID, fetch func(io.Writer) error) (image *metadata.Image, members Voters, err error) {
	name := path.Join(dir, id.String())
	temp := name + partSuffix
	file, err := f.Create(temp)
	if err != nil {
		return nil, members, err
	}
	err = fetch(&appender{file: file})
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		image, members, err = loadSnapshot(f, dir, id, partSuffix)
	}
	if err == nil {
		err = f.Rename(temp, name)
	}
	if err != nil {
		_ = f.Remove(temp) // the next start would
		return nil, members, fmt.Errorf("fetch snapshot %v: %w", id, err)
	}
	return image, members, f.SyncDir(dir)
}

// appender writes to the end of a file.
type appender struct {
	file vfs.File
	at   int64
}

// Write implements io.Writer.
func (a *appender) Write(p []byte) (int, error) {
	n, err := a.file.WriteAt(p, a.at)
	a.at += int64(n)
	return n, err
}

// Replaced is the step from one image to another that was read from elsewhere.
func Replaced(from, to *metadata.Image) metadata.Change {
	delta := metadata.Between(from, to)
	return metadata.Change{Delta: delta, Image: delta.Apply(to.Offset, to.Epoch, to.Timestamp)}
}
