package inspect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// Options say how much to print.
type Options struct {
	// Records prints every record under its batch.
	Records bool
	// Metadata decodes records as those of __cluster_metadata. Files of a folder of that name and snapshots are always decoded so.
	Metadata bool
	// Offsets decodes records as those of __consumer_offsets. Files of a folder of one of its partitions always are.
	Offsets bool
	// Transactions decodes records as those of __transaction_state. Files of a folder of one of its partitions always are.
	Transactions bool
	// Verify prints what is damaged and a summary of each file alone.
	Verify bool
	// Indexes leaves out all files but indexes, goes into folders and checks entries as Verify does.
	Indexes bool
	// JSON prints a JSON object in each line.
	JSON bool

	chain *chain // of the folder that is gone through
}

// ErrDamaged is wrapped by the error of a file that is damaged. All of it that could be read has been printed.
var ErrDamaged = errors.New("damaged")

// ErrUnknown is wrapped by the error of a file whose name is none of a log directory's.
var ErrUnknown = errors.New("not a file of a log directory")

// reading is one file being printed.
type reading struct {
	*printer
	name    string // as the user knows it
	r       io.ReaderAt
	size    int64
	o       Options
	base    int64 // offset in the name, 0 where there is none
	entries int64 // batches, index entries, lines
	records int64
	damages int
	// beside is the log that an index belongs to, nil where it is not at hand.
	beside *outline
}

// kind is a kind of file: the words for it, and what prints it.
type kind struct {
	words string
	print func(*reading) error
}

// suffixes and names tell the kind of a file.
var (
	suffixes = map[string]kind{
		".log":        {"log segment", (*reading).batches},
		".index":      {"offset index", (*reading).offsetIndex},
		".timeindex":  {"time index", (*reading).timeIndex},
		".txnindex":   {"transaction index", (*reading).txnIndex},
		".snapshot":   {"producer snapshot", (*reading).producers},
		".checkpoint": {"metadata snapshot", (*reading).batches},
	}
	names = map[string]kind{
		"leader-epoch-checkpoint":          {"leader epochs", (*reading).epochs},
		"recovery-point-offset-checkpoint": {"recovery points", (*reading).offsets},
		"log-start-offset-checkpoint":      {"log start offsets", (*reading).offsets},
		"replication-offset-checkpoint":    {"high watermarks", (*reading).offsets},
		"cleaner-offset-checkpoint":        {"cleaner offsets", (*reading).offsets},
		"meta.properties":                  {"identity of the log directory", (*reading).properties},
		"partition.metadata":               {"identity of the partition", (*reading).properties},
		"quorum-state":                     {"vote of the quorum", (*reading).object},
		".kafka_cleanshutdown":             {"mark of a clean shutdown", (*reading).object},
		".lock":                            {"lock", (*reading).nothing},
		"ottla.start":                      {"note of the last start", (*reading).properties},
		"ottla.damaged":                    {"ranges that can't be read", (*reading).ranges},
		"ottla.truncated":                  {"lowest truncation", (*reading).offset},
		"ottla.synced":                     {"end of what is synced", (*reading).offset},
	}
)

// kindOf tells the kind of a file by its name. A segment that awaits its deletion is still one.
func kindOf(name string) (kind, bool) {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	if k, ok := names[name]; ok {
		return k, true
	}
	name = strings.TrimSuffix(name, ".deleted")
	k, ok := suffixes[path.Ext(name)]
	return k, ok
}

// File prints the file name, whose last element tells its kind, from r. The error wraps ErrDamaged or ErrUnknown, or is one of r or w.
func File(w io.Writer, name string, r io.ReaderAt, size int64, o Options) error {
	return file(w, name, r, size, o, nil)
}

func file(w io.Writer, name string, r io.ReaderAt, size int64, o Options, beside *outline) error {
	k, ok := kindOf(name)
	if !ok {
		return fmt.Errorf("%s: %w", name, ErrUnknown)
	}
	if strings.Contains(name, "__cluster_metadata") || strings.HasSuffix(name, ".checkpoint") {
		o.Metadata = true
	}
	if strings.Contains(name, kafka.ConsumerOffsetsTopic+"-") {
		o.Offsets = true
	}
	if strings.Contains(name, kafka.TransactionStateTopic+"-") {
		o.Transactions = true
	}
	f := &reading{printer: &printer{w: w, json: o.JSON}, name: name, r: r, size: size, o: o, base: offsetIn(name), beside: beside}
	if !o.Verify {
		f.put(entry("file").str("name", name).str("type", k.words).int("size", size))
	}
	if err := k.print(f); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if o.Verify {
		e := entry("verified").str("name", name).str("type", k.words).int("size", size).int("entries", f.entries)
		if f.records > 0 {
			e.int("records", f.records)
		}
		f.put(e.int("damages", int64(f.damages)))
	}
	if f.err != nil {
		return f.err
	}
	if f.damages > 0 {
		return fmt.Errorf("%s: %w in %s", name, ErrDamaged, places(f.damages))
	}
	return nil
}

func places(n int) string {
	if n == 1 {
		return "one place"
	}
	return fmt.Sprintf("%d places", n)
}

// damaged prints what is wrong at a position of the file.
func (f *reading) damaged(position int64, format string, args ...any) {
	f.damages++
	f.put(entry("damage").str("name", f.name).int("position", position).str("what", fmt.Sprintf(format, args...)))
}

// Folder prints the files of a folder, sorted by name: a partition's, or a log directory's own. With Verify it goes into the folders
// below too. Errors of files are joined; what can be read is printed all the same.
func Folder(w io.Writer, folder fs.FS, name string, o Options) error {
	list, err := fs.ReadDir(folder, ".")
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if strings.Contains(name, "__cluster_metadata") {
		o.Metadata = true
	}
	o.chain = &chain{}
	var errs []error
	for _, d := range list {
		full := path.Join(name, d.Name())
		if d.IsDir() {
			errs = append(errs, below(w, folder, d.Name(), full, o))
			continue
		}
		_, ok := kindOf(d.Name())
		switch {
		case d.Type()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice) != 0:
			errs = append(errs, skipped(w, full, o, "not a regular file"))
			continue
		case o.Indexes && !isIndex(d.Name()):
			continue
		case !ok:
			if !o.Verify {
				errs = append(errs, skipped(w, full, o, ErrUnknown.Error()))
			}
			continue
		}
		errs = append(errs, inFolder(w, folder, d.Name(), full, o))
	}
	return errors.Join(errs...)
}

func skipped(w io.Writer, name string, o Options, why string) error {
	p := &printer{w: w, json: o.JSON}
	p.put(entry("skipped").str("name", name).str("why", why))
	return p.err
}

func below(w io.Writer, folder fs.FS, name, full string, o Options) error {
	if !o.Verify && !o.Indexes {
		p := &printer{w: w, json: o.JSON}
		p.put(entry("folder").str("name", full))
		return p.err
	}
	sub, err := fs.Sub(folder, name)
	if err != nil {
		return err
	}
	return Folder(w, sub, full, o)
}

func inFolder(w io.Writer, folder fs.FS, name, full string, o Options) error {
	r, size, closeFile, err := openAt(folder, name)
	if err != nil {
		return fmt.Errorf("%s: %w", full, err)
	}
	defer closeFile()
	var beside *outline
	if stem, isIndex := indexStem(name); isIndex && (o.Verify || o.Indexes) {
		if beside, err = outlineOf(folder, stem+".log"); err != nil {
			return fmt.Errorf("%s: %w", full, err)
		}
	}
	return file(w, full, r, size, o, beside)
}

// openAt opens a file for positioned reads; one of a file system without them is refused.
func openAt(folder fs.FS, name string) (io.ReaderAt, int64, func(), error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, 0, nil, err
	}
	st, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, 0, nil, err
	}
	r, ok := f.(io.ReaderAt)
	if !ok {
		_ = f.Close()
		return nil, 0, nil, fmt.Errorf("the file system has no positioned reads")
	}
	return r, st.Size(), func() { _ = f.Close() }, nil
}
