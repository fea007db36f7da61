package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNoGroups says that this process may not make control groups, or that the machine has none of the kind.
var ErrNoGroups = errors.New("no control groups can be made here")

// Group is a control group for the processes of one side: a limit of memory, page cache included, and an account of CPU
// time. It is a child of the group that this process is in. Remove it when its processes have ended.
type Group struct {
	folders []string // of each hierarchy
	unified bool     // cgroup v2: processes enter by the folder's descriptor
	usage   string   // the file with the account of CPU time, "" where there is none
	Limit   int64    // bytes; 0 where memory is not limited
}

// NewGroup makes a group of version 1 or 2, whichever the machine has.
func NewGroup(name string, memory int64) (*Group, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, errors.Join(ErrNoGroups, err)
	}
	paths := parseGroups(string(own))
	g := &Group{}
	err = g.legacy(paths, name, memory)
	if err == nil && len(g.folders) == 0 {
		err = g.unify(paths, name, memory)
	}
	if err != nil {
		return nil, errors.Join(ErrNoGroups, err, g.Remove())
	}
	return g, nil
}

// parseGroups maps each controller to the path of its group; "" is that of version 2.
func parseGroups(text string) map[string]string {
	paths := map[string]string{}
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(parts[1], ",") {
			paths[controller] = parts[2]
		}
	}
	return paths
}

const hierarchies = "/sys/fs/cgroup"

// legacy makes groups of version 1, where the memory controller is of that version.
func (g *Group) legacy(paths map[string]string, name string, memory int64) error {
	path, ok := paths["memory"]
	if !ok {
		return nil
	}
	folder := filepath.Join(hierarchies, "memory", path, name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	g.folders = append(g.folders, folder)
	if memory > 0 {
		if err := os.WriteFile(filepath.Join(folder, "memory.limit_in_bytes"), strconv.AppendInt(nil, memory, 10), 0o644); err != nil {
			return err
		}
		g.Limit = memory
	}
	if path, ok = paths["cpuacct"]; !ok {
		return nil
	}
	folder = filepath.Join(hierarchies, "cpuacct", path, name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		return nil // the process's own account serves
	}
	g.folders = append(g.folders, folder)
	g.usage = filepath.Join(folder, "cpuacct.usage")
	return nil
}

func (g *Group) unify(paths map[string]string, name string, memory int64) error {
	path, ok := paths[""]
	if !ok {
		return errors.New("/proc/self/cgroup names no group")
	}
	folder := filepath.Join(hierarchies, path, name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	g.folders, g.unified = append(g.folders, folder), true
	if memory > 0 {
		if err := os.WriteFile(filepath.Join(folder, "memory.max"), strconv.AppendInt(nil, memory, 10), 0o644); err != nil {
			return fmt.Errorf("the memory controller is not given to child groups: %w", err)
		}
		g.Limit = memory
	}
	g.usage = filepath.Join(folder, "cpu.stat")
	return nil
}

// Enter puts the calling thread, and what it starts from now on, into the group. Of version 2 it does nothing: that would
// take the whole process, and children are born into its Folder.
func (g *Group) Enter() error {
	return g.move(func(folder string) string { return folder })
}

// Leave takes the calling thread back to where it came from.
func (g *Group) Leave() error { return g.move(filepath.Dir) }

func (g *Group) move(to func(folder string) string) error {
	if g.unified {
		return nil
	}
	tid := strconv.Itoa(unix.Gettid())
	for _, folder := range g.folders {
		if err := os.WriteFile(filepath.Join(to(folder), "tasks"), []byte(tid), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Folder is the group's folder where a process can be born into it (version 2), else "".
func (g *Group) Folder() string {
	if !g.unified {
		return ""
	}
	return g.folders[0]
}

// CPU is the CPU time of all processes that have been in the group; ok is false where nobody counts it.
func (g *Group) CPU() (used time.Duration, ok bool, err error) {
	if g.usage == "" {
		return 0, false, nil
	}
	text, err := os.ReadFile(g.usage)
	if err != nil {
		return 0, false, err
	}
	if !g.unified {
		ns, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return time.Duration(ns), true, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "usage_usec "); found {
			us, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			return time.Duration(us) * time.Microsecond, true, err
		}
	}
	return 0, false, nil
}

// Remove takes the group away; it must have no process any more. A process that was killed may take a moment to go.
func (g *Group) Remove() error {
	var errs []error
	for _, folder := range g.folders {
		var err error
		for range 200 {
			if err = os.Remove(folder); err == nil || errors.Is(err, os.ErrNotExist) {
				err = nil
				break
			}
			Nap(10 * time.Millisecond)
		}
		errs = append(errs, err)
	}
	g.folders = nil
	return errors.Join(errs...)
}
