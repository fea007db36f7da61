package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
)

// Prepare formats the directories of a node that never ran, as the only member of a new cluster, and leaves those of
// one that did alone: what `ottla dev` does. It reports whether it formatted. A directory that holds anything but
// isn't formatted is an error.
func (w World) Prepare(n *config.Node) (bool, error) {
	formatted := 0
	for _, dir := range Dirs(n) {
		_, ok, err := w.readMeta(dir)
		if err != nil {
			return false, err
		}
		if ok {
			formatted++
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
	if formatted > 0 {
		return false, nil // Check says so if others are missing
	}
	cluster, err := kafka.NewUUID(w.Random)
	if err != nil {
		return false, err
	}
	q := Request{Node: n, ClusterID: cluster.String(), Standalone: len(n.Voters) == 0 && n.Controller}
	return true, w.Format(q, io.Discard)
}
