package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
)

// Prepare formats the directories of nodes that never ran, as all the members of a new cluster, and leaves those of nodes that did alone: what
// `ottla dev` does. It reports whether it formatted. A directory that holds anything but isn't formatted is an error, and so is a node without
// a disk beside others that have one: as a voter it must not come back under its old id.
func (w World) Prepare(nodes ...*config.Node) (bool, error) {
	formatted, empty := 0, ""
	for _, n := range nodes {
		ran, err := w.ran(n)
		if err != nil {
			return false, err
		}
		if ran {
			formatted++
		} else {
			empty = n.LogDirs[0]
		}
	}
	switch {
	case formatted == len(nodes):
		return false, nil
	case formatted > 0:
		return false, fmt.Errorf("%s is empty and the other nodes' directories are not: restore it, or empty them all", empty)
	}
	cluster, err := kafka.NewUUID(w.Random)
	if err != nil {
		return false, err
	}
	for _, n := range nodes {
		q := Request{Node: n, ClusterID: cluster.String(), Standalone: len(n.Voters) == 0 && n.Controller}
		if err := w.Format(q, io.Discard); err != nil {
			return false, err
		}
	}
	return true, nil
}

// ran reports whether a node has a formatted directory; Check says so if others are missing then.
func (w World) ran(n *config.Node) (bool, error) {
	formatted := false
	for _, dir := range Dirs(n) {
		_, ok, err := w.readMeta(dir)
		if err != nil {
			return false, err
		}
		if ok {
			formatted = true
			continue
		}
		entries, err := w.FS.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("look into log directory %s: %w", dir, err)
		}
		if len(entries) > 0 {
			return false, fmt.Errorf("%s is not empty and holds no log directory: empty it, or choose another", dir)
		}
	}
	return formatted, nil
}
