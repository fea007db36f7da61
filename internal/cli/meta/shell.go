package meta

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/inspect"
)

// Command is `ottla metadata`: what reads the metadata of a cluster without it.
func Command(a *command.App) *cobra.Command {
	return command.Parent(&cobra.Command{Use: "metadata", Short: "Look into the metadata of a cluster, without the cluster"}, shell(a), snapshot(a))
}

func shell(a *command.App) *cobra.Command {
	return &cobra.Command{
		Use:   "shell FILE|DIR [COMMAND...]",
		Short: "Walk through the metadata of a cluster as through a file system",
		Long: "Walk through the metadata of a cluster as through a file system: brokers, topics, configurations and so on, as a snapshot\n" +
			"(.checkpoint) or a segment (.log) of __cluster_metadata has it; of a directory, the last snapshot and the log after it.\n" +
			"With a COMMAND it is run, else those that are typed. help names the commands. Nothing is changed, and the server may run.",
		Example: "  ottla metadata shell ottla-data tree /image/topics/byName\n" +
			"  ottla metadata shell ottla-data/__cluster_metadata-0/00000000000000000000.log",
		Args: command.Args(1, -1, "a FILE or a DIR"),
		RunE: func(_ *cobra.Command, args []string) error {
			root, err := tree(args[0])
			if err != nil {
				return failure("metadata shell", err)
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

// tree is what the shell walks through: that of a file, or of all that a directory leads to.
func tree(path string) (*inspect.Node, error) {
	image, err := inspect.State(path)
	if err != nil {
		return nil, err
	}
	number := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	return inspect.Tree(image, "ottla", strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), number), nil
}

func failure(what string, err error) error {
	e := &command.Error{What: what, Err: err, Exit: command.Failed, Hint: "only what is of __cluster_metadata can be read: a log directory, that folder in it, or a file of that folder"}
	if errors.Is(err, fs.ErrNotExist) {
		e.Exit = command.NotFound
		e.Hint = "log.dirs in the server's configuration says where its files are"
	}
	return e
}
