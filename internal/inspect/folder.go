package inspect

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/vfs"
)

// MetadataFolder is where a log directory has the metadata log.
const MetadataFolder = "__cluster_metadata-0"

// State returns the state of a cluster at the end of a file, as [Image] does, or what a log directory, or its folder of the metadata log,
// leads to: the last snapshot, and the log after it. Errors wrap fs.ErrNotExist where there is no metadata.
func State(path string) (*metadata.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case st.IsDir():
		return metalog.Load(vfs.OS{}, logFolder(path))
	}
	image, err := Image(f, st.Size())
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return image, err
}

// ExportMetadata writes the state that a directory leads to as one snapshot into the folder to, and returns its file's path.
func ExportMetadata(dir, to string, now time.Time) (string, error) {
	name, err := metalog.Export(vfs.OS{}, logFolder(dir), to, now.UnixMilli())
	return filepath.Join(to, name), err
}

func logFolder(dir string) string {
	within := filepath.Join(dir, MetadataFolder)
	if _, err := (vfs.OS{}).Stat(within); err == nil {
		return within
	}
	return dir
}
