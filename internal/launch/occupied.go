package launch

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/node"
	"github.com/ottla/ottla/internal/storage"
)

// nodeFolder is what `ottla dev -n` calls the folder of a node.
const nodeFolder = "node-"

// clusterIn is of how many nodes the cluster is whose folders are in dir, 0 if there is none. One of them may have lost its own.
func clusterIn(dir string) int {
	size := 0
	for id := 1; id <= maxNodes; id++ {
		folder := filepath.Join(dir, nodeFolder+strconv.Itoa(id))
		if exists(filepath.Join(folder, "server.properties")) || machine().Formatted(filepath.Join(folder, "data")) {
			size = id
		}
	}
	return size
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// prepareOne formats the directories of a lone node that are empty or missing, and refuses a cluster's.
func prepareOne(n *config.Node) error {
	for _, dir := range n.LogDirs {
		if size := clusterIn(dir); size > 0 && !machine().Formatted(dir) {
			return belongs(dir, fmt.Sprintf("a cluster of %d nodes", size), size)
		}
	}
	return prepare(n)
}

// admit refuses a directory that holds anything else than a cluster of so many nodes.
func admit(dir string, size int) error {
	there := clusterIn(dir)
	switch {
	case there == size:
		return nil
	case there > 0:
		return belongs(dir, fmt.Sprintf("a cluster of %d nodes", there), there)
	case machine().Formatted(dir):
		return belongs(dir, "a single node's data", 1)
	}
	vacant, err := machine().Vacant(dir)
	if err == nil && !vacant {
		err = fmt.Errorf("%s is not empty and holds no cluster", dir)
	}
	if err != nil {
		return &command.Error{Err: err, Hint: otherDir, Exit: command.Failed}
	}
	return nil
}

const otherDir = "--dir DIR takes another directory"

// belongs says whose a directory is, and how to go on with it.
func belongs(dir, what string, nodes int) error {
	again := []string{"ottla", "dev"}
	if nodes > 1 {
		again = append(again, "-n", strconv.Itoa(nodes))
	}
	if own, err := filepath.Abs(defaultDir); err != nil || dir != own {
		again = append(again, "--dir", dir)
	}
	return &command.Error{Err: fmt.Errorf("%s holds %s", dir, what), Hint: fmt.Sprintf("`%s` goes on with it; %s", typed(again), otherDir), Exit: command.Failed}
}

// typed is a command line as a person types it.
func typed(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = arg
		if arg == "" || strings.ContainsFunc(arg, func(r rune) bool { return strings.ContainsRune(" \t\n'\"\\$`*?[]{}()<>|&;#~!", r) }) {
			quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// portsFree opens the listeners and closes them again: a port in use is known before anything is written.
func portsFree(nodes []*config.Node) error {
	for _, n := range nodes {
		for _, l := range n.Listeners {
			nl, err := net.Listen("tcp", net.JoinHostPort(l.Host, strconv.Itoa(l.Port)))
			if err == nil {
				err = nl.Close()
			}
			if err != nil {
				return &node.ListenError{Listener: l, Err: err}
			}
		}
	}
	return nil
}

// locks are held on directories.
type locks []io.Closer

// Close gives them back.
func (l locks) Close() error {
	var errs []error
	for _, lock := range l {
		errs = append(errs, lock.Close())
	}
	return errors.Join(errs...)
}

// lock takes the locks of all directories: an error says that a node, or another cluster, works in one of them.
func lock(dirs ...string) (locks, error) {
	var held locks
	for _, dir := range dirs {
		l, err := machine().Lock(dir)
		if err != nil {
			return nil, errors.Join(err, held.Close())
		}
		held = append(held, l)
	}
	return held, nil
}

// formattedDirs are the directories of nodes that ran before.
func formattedDirs(nodes []*config.Node) []string {
	var dirs []string
	for _, n := range nodes {
		for _, dir := range storage.Dirs(n) {
			if machine().Formatted(dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}
