package node

import (
	"errors"
	"fmt"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/storage"
	"github.com/ottla/ottla/internal/vfs"
)

// directory is a log directory that this process holds.
type directory struct {
	storage.Dir
	// clean says that the last process closed all logs in it; epoch is its broker epoch then.
	clean bool
	epoch kafka.BrokerEpoch
}

// openDirs checks that the metadata log is one that this release can take over, locks the directories, checks that they
// belong to this node and to one cluster, and takes away the clean-shutdown markers. Directories that can't be used are left out.
func (n *Node) openDirs() error {
	if err := quorum.CheckLevel(n.opts.FS, metadataLog(n.cfg.MetadataLogDir)); err != nil {
		return err
	}
	var err error
	world := storage.World{FS: n.opts.FS, Now: n.opts.Now, Random: n.opts.Random}
	if n.identity, err = world.Check(n.cfg); err != nil {
		return err
	}
	for _, d := range n.identity.Dirs {
		if d.Err != nil {
			n.log.Error("log directory is offline", "directory", d.Path, "err", d.Err)
			continue
		}
		opened, err := n.begin(d)
		if err != nil {
			return err
		}
		n.dirs = append(n.dirs, opened)
	}
	return nil
}

// begin takes the clean-shutdown marker away and leaves a note of this process, durably, before anything is written.
func (n *Node) begin(d storage.Dir) (directory, error) {
	clean, epoch, err := checkpoint.TakeClean(n.opts.FS, d.Path)
	if err != nil {
		return directory{}, fmt.Errorf("log directory %s: %w", d.Path, err)
	}
	incarnation, err := kafka.NewUUID(n.opts.Random)
	if err != nil {
		return directory{}, err
	}
	err = checkpoint.WriteStart(n.opts.FS, d.Path, checkpoint.Start{Boot: n.opts.Boot, Mount: d.Path, Incarnation: incarnation})
	if errors.Is(err, vfs.ErrNoSpace) {
		return directory{}, fmt.Errorf("the disk of log directory %s is full: free some space on it and start again", d.Path)
	}
	return directory{Dir: d, clean: clean, epoch: epoch}, err
}

// cleanEpoch is the broker epoch of the last process if all directories were shut down cleanly, else NoBrokerEpoch.
func (n *Node) cleanEpoch() kafka.BrokerEpoch {
	for _, d := range n.dirs {
		if !d.clean || d.epoch != n.dirs[0].epoch {
			return kafka.NoBrokerEpoch
		}
	}
	return n.dirs[0].epoch
}

// markClean writes the clean-shutdown markers of directories that are closed.
func (n *Node) markClean(clean []partition.Dir) error {
	var errs []error
	for _, d := range clean {
		errs = append(errs, checkpoint.WriteClean(n.opts.FS, d.Path, n.member.epoch))
	}
	return errors.Join(errs...)
}

// release gives up the locks of the directories.
func (n *Node) release() error {
	if n.identity == nil {
		return nil
	}
	return n.identity.Close()
}
