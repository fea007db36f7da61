package storage

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/vfs"
)

// World is what this package needs of the outside.
type World struct {
	FS vfs.FS
	// Now is the clock, Random the source of ids.
	Now    func() time.Time
	Random io.Reader
}

// Request says how to format.
type Request struct {
	Node      *config.Node
	ClusterID string
	// IgnoreFormatted skips directories that are formatted; otherwise one such is an error.
	IgnoreFormatted bool
	// Release is the name of the release whose features the cluster starts with; "" is the latest.
	Release string
	// Features are levels asked for, over the release's.
	Features map[string]metadata.Level
	// Standalone makes this controller the only voter of a dynamic quorum, InitialVoters one of several, and
	// NoInitialVoters leaves them out: the controller will join later. At most one of the three.
	Standalone      bool
	InitialVoters   []Voter
	NoInitialVoters bool
}

// Format formats the log directories of a node. out gets the lines that Kafka's tool prints. An error leaves every
// directory either as it was or formatted, and says in one line what is wrong, in Kafka's words where it has them.
func (w World) Format(q Request, out io.Writer) error {
	if q.ClusterID == "" {
		return errors.New("You must specify the cluster id.")
	}
	if err := q.checkQuorum(); err != nil {
		return err
	}
	release, levels, err := effective(q.Release, q.Features)
	if err != nil {
		return err
	}
	kraft, err := q.kraftVersion(levels)
	if err != nil {
		return err
	}
	empty, err := w.emptyDirs(q, out)
	if err != nil || len(empty) == 0 {
		return err
	}
	if q.Standalone {
		if q.InitialVoters, err = w.standalone(q.Node); err != nil {
			return err
		}
	}
	records := bootstrapRecords(release, levels)
	fmt.Fprintf(out, "Bootstrap metadata: %s\n", describeBootstrap(records))
	for _, dir := range empty {
		id, kind, err := w.identify(q, dir)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "Formatting %s %s with metadata.version %s.\n", kind, dir, release.Name)
		if err := vfs.MkdirAll(w.FS, dir); err != nil {
			return fmt.Errorf("make log directory %s: %w", dir, err)
		}
		if dir == q.Node.MetadataLogDir && q.Node.Controller {
			if err := w.writeBootstrap(dir, records, members(kraft, q.InitialVoters, q.Node.ControllerListeners[0])); err != nil {
				return err
			}
		}
		m := checkpoint.Meta{Version: 1, ClusterID: q.ClusterID, NodeID: q.Node.ID, DirectoryID: id}
		if err := checkpoint.WriteMeta(w.FS, dir, m, w.Now()); err != nil {
			return fmt.Errorf("Error while writing meta.properties file %s: %w", dir, err)
		}
	}
	return nil
}

// checkQuorum checks how the quorum is to begin against the configuration.
func (q Request) checkQuorum() error {
	asked := q.Standalone || len(q.InitialVoters) > 0
	switch {
	case q.Standalone && !q.Node.Controller:
		return errors.New("You can only use --standalone on a controller.")
	case asked && len(q.Node.Voters) > 0:

		return errors.New("You cannot specify controller.quorum.voters and format the node with --initial-controllers or" +
			" --standalone. If you want to use dynamic quorum, please remove controller.quorum.voters and specify" +
			" controller.quorum.bootstrap.servers instead.")
	case !asked && !q.NoInitialVoters && q.Node.Controller && len(q.Node.Voters) == 0:

		return errors.New("Because controller.quorum.voters is not set on this controller, you must specify one of the" +
			" following: --standalone, --initial-controllers, or --no-initial-controllers.")
	}
	return nil
}

// kraftVersion is 1 for a dynamic quorum and 0 for a static one; asking for the other is an error.
func (q Request) kraftVersion(levels map[string]metadata.Level) (metadata.Level, error) {
	dynamic := len(q.Node.Voters) == 0 && (q.Standalone || len(q.InitialVoters) > 0 || q.NoInitialVoters)
	asked, explicit := q.Features[metadata.KRaftVersionFeature]
	switch {
	case explicit && dynamic && asked == 0:

		return 0, errors.New("Cannot set kraft.version to 0 if controller.quorum.voters is empty and one of the flags --standalone," +
			" --initial-controllers, or --no-initial-controllers is used. For dynamic controllers support, try removing the" +
			" --feature flag for kraft.version.")
	case explicit && !dynamic && asked > 0:

		return 0, fmt.Errorf("Cannot set kraft.version to %d unless controller.quorum.voters is empty and one of the flags --standalone,"+
			" --initial-controllers, or --no-initial-controllers is used. For dynamic controllers support, try using one of"+
			" --standalone, --initial-controllers, or --no-initial-controllers and removing controller.quorum.voters.", asked)
	case dynamic:
		return 1, nil
	}
	return 0, nil
}

// Dirs are all log directories of a node, the metadata log directory included, sorted.
func Dirs(n *config.Node) []string {
	dirs := slices.Clone(n.LogDirs)
	if !slices.Contains(dirs, n.MetadataLogDir) {
		dirs = append(dirs, n.MetadataLogDir)
	}
	slices.Sort(dirs)
	return dirs
}

// emptyDirs finds the directories to format, and checks what the others say. A directory that can't be read is left out.
func (w World) emptyDirs(q Request, out io.Writer) ([]string, error) {
	var empty, done []string
	for _, dir := range Dirs(q.Node) {
		m, ok, err := w.readMeta(dir)
		switch {
		case err != nil:
			fmt.Fprintf(out, "I/O error trying to read log directory %s. Ignoring...\n", dir)
			continue
		case !ok:
			empty = append(empty, dir)
			continue
		}
		file := path.Join(dir, checkpoint.MetaFile)
		if m.ClusterID != q.ClusterID {
			return nil, formatted(fmt.Sprintf("Invalid cluster.id in: %s. Expected %s, but read %s", file, q.ClusterID, m.ClusterID))
		}
		if m.NodeID != q.Node.ID {
			return nil, foreignNode(m.NodeID, q.Node.ID, file)
		}
		done = append(done, dir)
	}
	switch {
	case len(done) > 0 && !q.IgnoreFormatted:
		return nil, formatted(fmt.Sprintf("Log directory %s is already formatted. Use --ignore-formatted to ignore this directory and format"+
			" the others.", done[0]))
	case len(empty) == 0 && len(done) == 0:
		return nil, errors.New("No available log directories to format.")
	case len(empty) == 0:
		fmt.Fprintln(out, "All of the log directories are already formatted.")
	}
	return empty, nil
}

// ErrFormatted is what errors of a format are that found a directory formatted before.
var ErrFormatted = errors.New("formatted before")

// formatted is such an error in Kafka's words.
type formatted string

func (f formatted) Error() string { return string(f) }

func (f formatted) Is(target error) bool { return target == ErrFormatted }

func foreignNode(stored, configured kafka.NodeID, file string) error {

	return fmt.Errorf("Stored node id %d doesn't match previous node id %d in %s. If you moved your data, make sure your"+
		" configured node id matches. If you intend to create a new node, you should remove all data in your data directories.",
		stored, configured, file)
}

// readMeta is checkpoint.ReadMeta that also minds a file where the directory should be.
func (w World) readMeta(dir string) (checkpoint.Meta, bool, error) {
	if e, err := w.FS.Stat(dir); err == nil && !e.Dir {
		return checkpoint.Meta{}, false, fmt.Errorf("%s is not a directory", dir)
	}
	return checkpoint.ReadMeta(w.FS, dir)
}

// standalone makes this node the only voter, at its advertised controller listener.
func (w World) standalone(n *config.Node) ([]Voter, error) {
	for _, l := range n.ControllerAdvertised {
		if l.Name != n.ControllerListeners[0] {
			continue
		}
		id, err := kafka.NewUUID(w.Random)
		host := l.Host
		if host == "" {
			host = "localhost"
		}
		return []Voter{{ID: n.ID, Directory: id, Host: host, Port: l.Port}}, err
	}
	return nil, errors.New("No controller listeners found.")
}

// identify gives a directory its id, and the words for its kind.
func (w World) identify(q Request, dir string) (kafka.UUID, string, error) {
	kind := "data directory"
	if dir == q.Node.MetadataLogDir {
		kind = "metadata directory"
		if len(q.InitialVoters) > 0 {
			kind = "dynamic metadata directory"
		}
		for _, v := range q.InitialVoters {
			if v.ID == q.Node.ID {
				return v.Directory, "dynamic metadata voter directory", nil
			}
		}
	}
	id, err := kafka.NewUUID(w.Random)
	return id, kind, err
}
