package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// Dir is a log directory that a node has opened, or failed to.
type Dir struct {
	Path string
	// ID is the directory's id; zero when it is offline.
	ID kafka.UUID
	// Err says why the directory is offline; nil when it is fit for use.
	Err error

	lock io.Closer
}

// Identity is who the log directories say the node is.
type Identity struct {
	ClusterID string
	NodeID    kafka.NodeID
	// Dirs are all log directories, sorted by path, those that are offline too.
	Dirs []Dir
}

// Dir returns the directory of that path.
func (i *Identity) Dir(path string) (Dir, bool) {
	for _, d := range i.Dirs {
		if d.Path == path {
			return d, true
		}
	}
	return Dir{}, false
}

// Close gives the locks back.
func (i *Identity) Close() error {
	var errs []error
	for _, d := range i.Dirs {
		if d.lock != nil {
			errs = append(errs, d.lock.Close())
		}
	}
	return errors.Join(errs...)
}

// InUseError says that another process holds a log directory.
type InUseError struct{ Dir string }

// Error returns what is wrong and, in the words of a configuration file, what to do.
func (e *InUseError) Error() string { return e.What() + ": " + e.Advice("log.dirs") }

// What returns what is wrong alone.
func (e *InUseError) What() string {
	return "log directory " + e.Dir + " is in use by another process"
}

// Advice returns what to do; setting is what the directory was given by.
func (e *InUseError) Advice(setting string) string {
	return "stop that one, or give this node directories of its own by " + setting
}

// ErrNotFormatted says that log directories have not been formatted.
var ErrNotFormatted = errors.New("not formatted")

// Check locks the log directories of a node and reads who they belong to. A directory that can't be read or written
// is offline, unless it is the metadata log directory or the last one; anything else that is wrong is an error, one
// line that says what and what to do, and then nothing was changed. The locks are held until Identity.Close or the end of the process.
// A directory without an id, from before Kafka 3.7, is given one.
func (w World) Check(n *config.Node) (*Identity, error) {
	// A lock makes a file: nothing is locked that is to be refused. What others change until then is seen under the locks.
	if err := w.read(n, &Identity{NodeID: n.ID}, w.find); err != nil {
		return nil, err
	}
	id := &Identity{NodeID: n.ID}
	err := w.read(n, id, w.open)
	if err == nil {
		err = w.giveIDs(id)
	}
	if err != nil {
		_ = id.Close() // the first error is the one to tell
		return nil, err
	}
	return id, nil
}

// read finds the directories by open, and out who they belong to.
func (w World) read(n *config.Node, id *Identity, open func(string) (Dir, error)) error {
	for _, dir := range Dirs(n) {
		d, err := open(dir)
		if err != nil {
			return err
		}
		id.Dirs = append(id.Dirs, d)
	}
	return w.identity(n, id)
}

// find looks for one directory. The error is for what must stop the start.
func (w World) find(dir string) (Dir, error) {
	d := Dir{Path: dir}
	switch e, err := w.FS.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return d, unformatted(dir + " does not exist")
	case err != nil:
		d.Err = err
	case !e.Dir:
		d.Err = fmt.Errorf("%s is not a directory", dir)
	}
	return d, nil
}

// open finds and locks one directory.
func (w World) open(dir string) (Dir, error) {
	d, err := w.find(dir)
	if err != nil || d.Err != nil {
		return d, err
	}
	lock, err := w.Lock(dir)
	switch use := (*InUseError)(nil); {
	case errors.As(err, &use):
		return d, err
	case errors.Is(err, vfs.ErrNoSpace):
		return d, fmt.Errorf("the disk of log directory %s is full: free some space on it, or move the directory to a larger disk", dir)
	case err != nil:
		d.Err = err
	}
	d.lock = lock
	return d, nil
}

// Lock takes a directory until it is closed, or the process ends; an InUseError says that another process has it.
func (w World) Lock(dir string) (io.Closer, error) {
	lock, err := w.FS.Lock(path.Join(dir, checkpoint.Lock))
	if errors.Is(err, vfs.ErrLocked) {
		return nil, &InUseError{dir}
	}
	return lock, err
}

// Formatted reports whether dir has been a node's.
func (w World) Formatted(dir string) bool {
	is, err := vfs.Exists(w.FS, path.Join(dir, checkpoint.MetaFile))
	return is && err == nil
}

// Vacant reports whether nothing is in dir, but for a lock, or it does not exist.
func (w World) Vacant(dir string) (bool, error) {
	entries, err := w.FS.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return !slices.ContainsFunc(entries, func(e vfs.Entry) bool { return e.Name != checkpoint.Lock }), err
}

func unformatted(what string) error {
	return fmt.Errorf("%w: %s: run `ottla storage format --standalone -t $(ottla storage random-uuid) -c FILE` first"+
		" (a node of a cluster without --standalone and with the cluster's id; with --ignore-formatted if other directories of the node are formatted)", ErrNotFormatted, what)
}

// identity reads meta.properties of all directories and holds them against each other and the configuration.
func (w World) identity(n *config.Node, id *Identity) error {
	owner := map[kafka.UUID]string{}
	for i := range id.Dirs {
		d := &id.Dirs[i]
		if d.Err != nil {
			continue
		}
		m, ok, err := checkpoint.ReadMeta(w.FS, d.Path)
		file := path.Join(d.Path, checkpoint.MetaFile)
		switch {
		case errors.Is(err, checkpoint.ErrMalformed):
			return fmt.Errorf("%w: restore it from a backup, or format the directory anew if nothing in it is needed", err)
		case err != nil:
			d.Err = err
			continue
		case !ok:
			return unformatted("there is no meta.properties in " + d.Path)
		case m.Version == 0:
			return fmt.Errorf("%s is of the ZooKeeper era (version 0): migrate the cluster to KRaft with Apache Kafka 3.9 first", file)
		case m.NodeID != n.ID:
			return fmt.Errorf("%s belongs to node %d, but node.id is %d: correct node.id or log.dirs", file, m.NodeID, n.ID)
		case id.ClusterID != "" && id.ClusterID != m.ClusterID:
			return fmt.Errorf("%s belongs to cluster %s, but %s to cluster %s: correct log.dirs",
				file, m.ClusterID, id.firstOnline(), id.ClusterID)
		}
		id.ClusterID = m.ClusterID
		d.ID = m.DirectoryID
		if other, twice := owner[d.ID]; twice && !d.ID.IsZero() {
			return fmt.Errorf("log directories %s and %s have the same directory.id %s: one is a copy, remove it from log.dirs",
				other, d.Path, d.ID)
		}
		owner[d.ID] = d.Path
		if err := w.strayMetadata(n, d.Path); err != nil {
			return err
		}
	}
	return id.enough(n)
}

func (i *Identity) firstOnline() string {
	k := slices.IndexFunc(i.Dirs, func(d Dir) bool { return d.Err == nil })
	return i.Dirs[k].Path
}

// giveIDs gives each directory that has none an id, in its meta.properties.
func (w World) giveIDs(id *Identity) error {
	for i := range id.Dirs {
		d := &id.Dirs[i]
		if d.Err != nil || !d.ID.IsZero() {
			continue
		}
		fresh, err := kafka.NewUUID(w.Random)
		if err == nil {
			m := checkpoint.Meta{Version: 1, ClusterID: id.ClusterID, NodeID: id.NodeID, DirectoryID: fresh}
			err = checkpoint.WriteMeta(w.FS, d.Path, m, w.Now())
		}
		if err != nil {
			return fmt.Errorf("give log directory %s an id: %w", d.Path, err)
		}
		d.ID = fresh
	}
	return nil
}

// strayMetadata refuses a metadata log in a directory where the node would not look for it.
func (w World) strayMetadata(n *config.Node, dir string) error {
	if dir == n.MetadataLogDir {
		return nil
	}
	stray, err := vfs.Exists(w.FS, path.Join(dir, MetadataDir))
	if err != nil || !stray {
		return nil // the directory's own opening will tell
	}
	return fmt.Errorf("there is a metadata log in %s, but the metadata log directory is %s: set metadata.log.dir to the first,"+
		" or order log.dirs as before", dir, n.MetadataLogDir)
}

// enough refuses to start without the metadata log directory or without any of partitions.
func (i *Identity) enough(n *config.Node) error {
	online := 0
	for _, d := range i.Dirs {
		switch {
		case d.Err != nil && d.Path == n.MetadataLogDir:
			return fmt.Errorf("the metadata log directory %s can't be used: %w", d.Path, d.Err)
		case d.Err == nil && slices.Contains(n.LogDirs, d.Path):
			online++
		}
	}
	if online == 0 {
		return errors.New("no log directory can be used: see the errors before this")
	}
	return nil
}
