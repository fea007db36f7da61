package meta

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/inspect"
)

// Command is `ottla metadata`: what reads the metadata of a cluster without it.
func Command(a *command.App) *cobra.Command {
	return command.Parent(&cobra.Command{Use: "metadata", Short: "Look into the metadata of a cluster, without the cluster"}, shell(a))
}

func shell(a *command.App) *cobra.Command {
	return &cobra.Command{
		Use:   "shell FILE|DIR [COMMAND...]",
		Short: "Walk through the metadata of a cluster as through a file system",
		Long: "Walk through the metadata of a cluster as through a file system: brokers, topics, configurations and so on, as a snapshot\n" +
			"(.checkpoint) or a segment (.log) of __cluster_metadata has it; of a directory, the newest that begins with everything.\n" +
			"With a COMMAND it is run, else those that are typed. help names the commands. Nothing is changed, and the server may run.",
		Example: "  ottla metadata shell ottla-data tree /image/topics/byName\n" +
			"  ottla metadata shell ottla-data/__cluster_metadata-0/00000000000000000000.log",
		Args: command.Args(1, -1, "a FILE or a DIR"),
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := newest(args[0])
			if err != nil {
				return failure(err)
			}
			root, err := tree(file)
			if err != nil {
				return failure(fmt.Errorf("%s: %w", file, err))
			}
			s := &inspect.Shell{Root: root, Out: a.Out, Width: a.World.Width}
			if len(args) > 1 {
				s.Run(args[1:])
				return nil
			}
			s.Interactive = true
			lines := bufio.NewScanner(a.World.In)
			for {
				if a.World.InTTY {
					fmt.Fprint(a.World.Err, ">> ")
				}
				if !lines.Scan() || !s.Line(lines.Text()) {
					return lines.Err()
				}
			}
		},
	}
}

// newest is path if that is a file, else the file of the metadata log in it from which on everything can be read: the last snapshot, or
// the first segment.
func newest(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil || !st.IsDir() {
		return path, err
	}
	const folder = "__cluster_metadata-0"
	if _, err := os.Stat(filepath.Join(path, folder)); err == nil {
		path = filepath.Join(path, folder)
	}
	list, err := os.ReadDir(path)
	if err != nil {
		return "", err
	}
	var snapshots, segments []string
	for _, d := range list {
		switch filepath.Ext(d.Name()) {
		case ".checkpoint":
			snapshots = append(snapshots, d.Name())
		case ".log":
			segments = append(segments, d.Name())
		}
	}
	const first = "00000000000000000000.log"
	switch {
	case slices.Contains(segments, first): // it has all there was since
		return filepath.Join(path, first), nil
	case snapshots != nil:
		return filepath.Join(path, snapshots[len(snapshots)-1]), nil
	}
	return "", fmt.Errorf("%s has no snapshot and no first segment of the metadata log: %w", path, fs.ErrNotExist)
}

func tree(file string) (*inspect.Node, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	image, err := inspect.Image(f, st.Size())
	if err != nil {
		return nil, err
	}
	number := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	return inspect.Tree(image, "ottla", strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), number), nil
}

func failure(err error) error {
	e := &command.Error{What: "metadata shell", Err: err, Exit: command.Failed}
	if errors.Is(err, fs.ErrNotExist) {
		e.Exit = command.NotFound
		e.Hint = "log.dirs in the server's configuration says where its files are"
	}
	return e
}
