package node

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// directory is a log directory that this process holds.
type directory struct {
	path string
	id   kafka.UUID
	// clean says that the last process closed all logs in it; epoch is its broker epoch then.
	clean bool
	epoch kafka.BrokerEpoch
	lock  io.Closer
}

// identity is what the directories say of the node.
type identity struct {
	clusterID string
	// cleanEpoch is the broker epoch of the last process if all directories were shut down cleanly, else NoBrokerEpoch.
	cleanEpoch kafka.BrokerEpoch
}

// openDirs locks the directories, checks that they belong to this node and to one cluster, and takes away the
// clean-shutdown markers.
func (n *Node) openDirs() error {
	n.ids.cleanEpoch = kafka.NoBrokerEpoch
	for _, p := range n.directories() {
		if err := n.openDir(p); err != nil {
			return err
		}
	}
	clean := true
	for i := range n.dirs {
		clean = clean && n.dirs[i].clean && n.dirs[i].epoch == n.dirs[0].epoch
	}
	if clean {
		n.ids.cleanEpoch = n.dirs[0].epoch
	}
	return nil
}

// directories are log.dirs and the metadata directory if that is another.
func (n *Node) directories() []string {
	dirs := n.cfg.LogDirs
	for _, d := range dirs {
		if d == n.cfg.MetadataLogDir {
			return dirs
		}
	}
	return append(append([]string(nil), dirs...), n.cfg.MetadataLogDir)
}

func (n *Node) openDir(p string) error {
	fsys := n.opts.FS
	meta, formatted, err := checkpoint.ReadMeta(fsys, p)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("no permission to read %s: %w: give the directory to the user that runs ottla", p, err)
	case err != nil:
		return fmt.Errorf("directory %s can't be used: %w", p, err)
	case !formatted:
		return fmt.Errorf("directory %s is not formatted: run `ottla storage format --standalone -t $(ottla storage random-uuid) -c FILE` first, or use `ottla dev`", p)
	}
	lock, err := fsys.Lock(path.Join(p, checkpoint.LockFile))
	if errors.Is(err, vfs.ErrLocked) {
		return fmt.Errorf("directory %s is in use by another process: stop that one, or give this node a directory of its own", p)
	}
	if err != nil {
		return fmt.Errorf("lock directory %s: %w", p, err)
	}
	d := directory{path: p, id: meta.DirectoryID, lock: lock}
	n.dirs = append(n.dirs, d)
	if err := n.checkMeta(p, meta); err != nil {
		return err
	}
	return n.begin(&n.dirs[len(n.dirs)-1])
}

// checkMeta compares meta.properties with the configuration and with the other directories.
func (n *Node) checkMeta(p string, m checkpoint.Meta) error {
	if n.ids.clusterID == "" {
		n.ids.clusterID = m.ClusterID
	}
	switch {
	case m.NodeID != n.cfg.ID:
		return fmt.Errorf("directory %s belongs to node %d, and this is node %d: give this node its own directory, or set node.id=%d", p, m.NodeID, n.cfg.ID, m.NodeID)
	case m.ClusterID != n.ids.clusterID:
		return fmt.Errorf("directory %s belongs to cluster %s, and %s to cluster %s: log.dirs must be of one cluster", p, m.ClusterID, n.dirs[0].path, n.ids.clusterID)
	}
	for _, d := range n.dirs[:len(n.dirs)-1] {
		if d.id == m.DirectoryID {
			return fmt.Errorf("directories %s and %s have the same directory.id %s: one is a copy of the other; remove it", d.path, p, d.id)
		}
	}
	return nil
}

// begin takes the clean-shutdown marker away and leaves a note of this process, durably, before anything is written.
func (n *Node) begin(d *directory) error {
	var err error
	if d.clean, d.epoch, err = checkpoint.TakeClean(n.opts.FS, d.path); err != nil {
		return fmt.Errorf("directory %s: %w", d.path, err)
	}
	incarnation, err := kafka.NewUUID(n.opts.Random)
	if err != nil {
		return err
	}
	err = checkpoint.WriteStart(n.opts.FS, d.path, checkpoint.Start{Boot: n.opts.Boot, Mount: d.path, Incarnation: incarnation})
	if errors.Is(err, vfs.ErrNoSpace) {
		return fmt.Errorf("the disk of directory %s is full: free some space and start again", d.path)
	}
	return err
}

// markClean writes the clean-shutdown markers.
func (n *Node) markClean() error {
	var errs []error
	for _, d := range n.dirs {
		errs = append(errs, checkpoint.WriteClean(n.opts.FS, d.path, n.member.epoch))
	}
	return errors.Join(errs...)
}

// release gives up the locks of the directories and the sockets.
func (n *Node) release() error {
	var errs []error
	for _, d := range n.dirs {
		errs = append(errs, d.lock.Close())
	}
	n.dirs = nil
	return errors.Join(errs...)
}
