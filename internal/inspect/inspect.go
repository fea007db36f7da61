package inspect

import (
	"errors"
	"io"
	"io/fs"
)

// Options say how much to print.
type Options struct {
	// Records prints every record under its batch.
	Records bool
	// Metadata decodes the records of __cluster_metadata.
	Metadata bool
	// Verify prints only what is wrong and a summary, and checks CRCs of batches, records and indexes against the log.
	Verify bool
	// JSON prints a JSON object in each line.
	JSON bool
}

// ErrDamaged is wrapped by the error of a dump that found damage.
var ErrDamaged = errors.New("damaged")

// ErrUnknown is wrapped by the error of a file whose kind its name does not tell.
var ErrUnknown = errors.New("not a file of a log directory")

// File prints the file name, whose last element tells its kind, from r.
func File(w io.Writer, name string, r io.ReaderAt, size int64, o Options) error {
	panic("not written yet")
}

// Folder prints every file of a folder: a partition's, or a log directory's own files.
func Folder(w io.Writer, folder fs.FS, name string, o Options) error { panic("not written yet") }
