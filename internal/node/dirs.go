package node

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/storage"
	"github.com/ottla/ottla/internal/vfs"
)

// directory is a log directory that this process holds.
type directory struct {
	storage.Dir
	// clean says that the last process closed all logs in it; epoch is its broker epoch if nothing that it wrote is lost.
	clean bool
	epoch kafka.BrokerEpoch
	// written says that only the last process died, not the machine; vouched, that the note of this process says the same to the next one.
	written, vouched bool
	start            checkpoint.Start // this process
}

// openDirs checks that the metadata log is one that this release can take over, locks the directories, checks that they
// belong to this node and to one cluster, and takes away the clean-shutdown markers. Directories that can't be used are left out.
func (n *Node) openDirs() error {
	if err := n.checkMetadata(); err != nil {
		return err
	}
	var err error
	world := storage.World{FS: n.opts.FS, Now: n.opts.Now, Random: n.opts.Random}
	if n.identity, err = world.Check(n.cfg); err != nil {
		return err
	}
	for _, d := range n.identity.Dirs {
		if d.Err != nil {
			n.log.Error("log directory is offline", "dir", d.Path, "err", d.Err)
			continue
		}
		opened, err := n.begin(d)
		if err != nil {
			return err
		}
		if slices.Contains(n.cfg.LogDirs, d.Path) {
			n.dirs = append(n.dirs, opened)
		}
		if d.Path == n.cfg.MetadataLogDir {
			n.metadata = opened
		}
	}
	return nil
}

// checkMetadata refuses a metadata log that this release would not understand.
func (n *Node) checkMetadata() error {
	dir := metadataLog(n.cfg.MetadataLogDir)
	if !n.cfg.Controller {
		return metalog.CheckReadable(n.opts.FS, dir, controller.DefaultSupported())
	}
	var static []kafka.NodeID
	for _, v := range n.cfg.Voters {
		static = append(static, v.ID)
	}
	return metalog.CheckSupported(n.opts.FS, dir, controller.DefaultSupported(), static)
}

// begin takes the clean-shutdown marker away and leaves a note of this process, durably, before anything is written. The note vouches for what
// is in the directory only if there is nothing to recover from a crash of the machine: else vouch does, after the recovery.
func (n *Node) begin(d storage.Dir) (directory, error) {
	opened := directory{Dir: d, start: checkpoint.Start{Boot: n.opts.Boot}}
	var err error
	if opened.clean, opened.epoch, err = checkpoint.TakeClean(n.opts.FS, d.Path); err != nil {
		return opened, fmt.Errorf("log directory %s: %w", d.Path, err)
	}
	if opened.start.Mount, err = n.opts.FS.Identity(d.Path); err != nil {
		return opened, fmt.Errorf("log directory %s: %w", d.Path, err)
	}
	if opened.start.Incarnation, err = kafka.NewUUID(n.opts.Random); err != nil {
		return opened, err
	}
	last, known, err := checkpoint.ReadStart(n.opts.FS, d.Path)
	if err != nil {
		return opened, fmt.Errorf("log directory %s: %w", d.Path, err)
	}
	opened.written = known && last.SameMachineLife(opened.start)
	opened.vouched = opened.clean || opened.written
	switch {
	case opened.clean:
	case opened.written:
		opened.epoch = last.Epoch
	default:
		opened.epoch = kafka.NoBrokerEpoch
	}
	opened.start.Epoch = opened.epoch // until this process has one: before that it changes no replica
	note := opened.start
	if !opened.vouched {
		note.Boot = ""
	}
	err = checkpoint.WriteStart(n.opts.FS, d.Path, note)
	if errors.Is(err, vfs.ErrNoSpace) {
		return opened, fmt.Errorf("the disk of log directory %s is full: free some space on it and start again", d.Path)
	}
	return opened, err
}

// vouch notes that all logs were checked after a crash of the machine: if this process dies, the next one need not check them again.
func (n *Node) vouch() error {
	for _, d := range n.partitions.Dirs() {
		i := slices.IndexFunc(n.dirs, func(own directory) bool { return own.Path == d.Dir.Path })
		if i < 0 || d.Err != nil || n.dirs[i].vouched {
			continue
		}
		if err := checkpoint.WriteStart(n.opts.FS, d.Dir.Path, n.dirs[i].start); err != nil {
			return fmt.Errorf("log directory %s: %w", d.Dir.Path, err)
		}
		n.dirs[i].vouched = true
	}
	return nil
}

// disown takes the note of this process back from a directory that failed: what was written there may be lost.
func (n *Node) disown(dir partition.Dir) {
	if err := checkpoint.WriteStart(n.opts.FS, dir.Path, checkpoint.Start{Epoch: kafka.NoBrokerEpoch}); err != nil {
		n.log.Warn("a failed log directory can't be marked as such", "dir", dir.Path, "err", err)
	}
}

// noteEpoch leaves the epoch of a registration for the next process, before this one is given anything with it. Where that fails, the next one counts as having lost
// something, and so where the directory has failed, in which that note stays taken back.
func (n *Node) noteEpoch(epoch kafka.BrokerEpoch) {
	for _, d := range n.dirs {
		if !d.vouched || n.hasFailed(d.ID) {
			continue
		}
		d.start.Epoch = epoch
		if err := checkpoint.WriteStart(n.opts.FS, d.Path, d.start); err != nil {
			n.log.Warn("the epoch of the registration can't be noted", "dir", d.Path, "err", err)
		}
		if n.hasFailed(d.ID) { // meanwhile
			n.disown(partition.Dir{Path: d.Path})
		}
	}
}

func (n *Node) hasFailed(id kafka.UUID) bool {
	return slices.ContainsFunc(n.partitions.Failed(), func(d partition.Dir) bool { return d.ID == id })
}

// cleanEpoch is the broker epoch of the last process if nothing is lost that it wrote: it closed all directories, or died alone. Else it is NoBrokerEpoch.
func (n *Node) cleanEpoch() kafka.BrokerEpoch {
	for _, d := range n.dirs {
		if d.epoch != n.dirs[0].epoch {
			return kafka.NoBrokerEpoch
		}
	}
	return n.dirs[0].epoch
}

// markClean writes the clean-shutdown markers of directories that are closed: of those whose partitions are, and of that of the metadata log if the
// quorum has closed it.
func (n *Node) markClean(clean []partition.Dir) error {
	var paths []string
	for _, d := range clean {
		if d.Path != n.metadata.Path || n.decided {
			paths = append(paths, d.Path)
		}
	}
	if n.decided && !slices.Contains(n.cfg.LogDirs, n.metadata.Path) {
		paths = append(paths, n.metadata.Path)
	}
	var errs []error
	for _, p := range paths {
		errs = append(errs, checkpoint.WriteClean(n.opts.FS, p, n.member.brokerEpoch()))
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
