package launch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/storage"
)

// Commands are the commands that run a node, for the root of the command line. began is when the process started.
func Commands(w *command.World, began time.Time) []*cobra.Command {
	return []*cobra.Command{devCommand(w, began), startCommand(w, began), storageCommand(w)}
}

func startCommand(w *command.World, began time.Time) *cobra.Command {
	s := &session{world: w, addresses: "listeners", dirs: "log.dirs"}
	var file string
	var overrides []string
	cmd := &cobra.Command{
		Use:   "start --config FILE [--override KEY=VALUE]...",
		Short: "Run a node with a configuration file",
		Long: "Run a node with Kafka's own configuration file, server.properties.\n\n" +
			"The log directories must be formatted: see `ottla storage format`. SIGTERM and Ctrl-C stop the node in good\n" +
			"order; a second one ends it at once.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return command.Usagef("--config FILE is missing: try `ottla dev` for a node without a configuration")
			}
			var err error
			if s.cfg, err = load(file, overrides); err != nil {
				return err
			}
			return s.run(cmd.Context(), began)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration `FILE`: Kafka's server.properties")
	cmd.Flags().StringArrayVar(&overrides, "override", nil, "set `KEY=VALUE` over the file; may be given again")
	s.flags(cmd)
	return cmd
}

func (s *session) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.json, "json", false, "say that the node is ready by one line of JSON")
	cmd.Flags().StringVar(&s.readyFile, "ready-file", "", "write that line to `FILE` when the node is ready")
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return command.Usagef("%s takes no arguments, but got %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// explainKeys is for who has a mistake in a configuration.
const explainKeys = "`ottla explain KEY` says what a key takes"

func load(file string, overrides []string) (*config.Node, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &command.Error{What: "read the configuration", Where: file, Err: errors.New("there is no such file"), Exit: command.NotFound,
			Hint: "give the path of a server.properties, or use `ottla dev`"}
	}
	if err != nil {
		return nil, &command.Error{What: "read the configuration", Where: file, Err: err}
	}
	cfg, err := config.Load(file, text, overrides)
	if err != nil {
		return nil, &command.Error{Err: err, Exit: command.Usage, Hint: explainKeys}
	}
	return cfg, nil
}

// defaultDir is where `ottla dev` keeps its data.
const defaultDir = "ottla-data"

func devCommand(w *command.World, began time.Time) *cobra.Command {
	s := &session{world: w, addresses: "--listen HOST:PORT (port 0 picks a free one)", dirs: "--dir DIR", greet: greet}
	var dir, listen string
	var overrides []string
	var size int
	cmd := &cobra.Command{
		Use:   "dev [--dir DIR] [--listen ADDR] [-n NODES]",
		Short: "Run a node on this machine, or a cluster, without configuration",
		Long: "Run a node on this machine, without configuration.\n\n" +
			"An empty or missing directory is formatted; one that holds anything else than a node's data is left alone, and so is\n" +
			"that of a cluster, or with -n that of a lone node or of a cluster of another size.\n" +
			"Port 0 picks a free port; --json and --ready-file tell which.\n\n" +
			"-n 3 runs a cluster, a process for each node: kill one, and see the others go on. Their ports are the ones that\n" +
			"follow, and a thousand above for the nodes among themselves.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if dir, err = filepath.Abs(dir); err != nil {
				return err
			}
			if size != 1 {
				return devSeveral(cmd.Context(), s, size, dir, listen, overrides, began)
			}
			if s.cfg, err = devConfig(dir, listen, overrides); err != nil {
				return err
			}
			s.prepare = func() error { return prepareOne(s.cfg) }
			return s.run(cmd.Context(), began)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", defaultDir, "`DIR`ectory for the data")
	cmd.Flags().IntVarP(&size, "nodes", "n", 1, "so many `NODES`: 1, or 3 and more")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:9092", "`ADDR`ess for clients")
	cmd.Flags().StringArrayVar(&overrides, "override", nil, "set `KEY=VALUE` of the configuration; may be given again")
	s.flags(cmd)
	return cmd
}

// devSeveral runs a cluster on this machine.
func devSeveral(ctx context.Context, s *session, size int, dir, listen string, overrides []string, began time.Time) error {
	if size < 3 || size > maxNodes {
		return command.Usagef("--nodes %d: want 1, or 3 to %d: of two nodes none can go on alone", size, maxNodes)
	}
	c, err := newSeveral(s, size, dir, listen)
	if err != nil {
		return err
	}
	c.overrides = overrides
	return c.run(ctx, began)
}

// prepare formats directories that are empty or missing.
func prepare(nodes ...*config.Node) error {
	_, err := machine().Prepare(nodes...)
	if err != nil {
		return &command.Error{Err: err, Hint: otherDir}
	}
	return nil
}

// greet tells a newcomer what to do next.
func greet(world *command.World, r ready) {
	flag := command.NewApp(world).ToReach(r.Address)
	fmt.Fprintf(world.Out, `Ottla is ready at %s after %v (data in %s, cluster %s).

Try, in another terminal:
  ottla topic create orders%s
  echo 'hello, world' | ottla produce orders%s
  ottla consume orders%s
  ottla consume orders --group readers -n 1%s
  ottla group describe readers%s
  ottla cluster info%s

Any Kafka client works, at %s. Ctrl-C stops the node; the data stays.
`, r.Address, r.took.Round(time.Millisecond), r.Data[0], r.ClusterID, flag, flag, flag, flag, flag, flag, r.Address)
}

// storageCommand hands its arguments to the tool as they are: it speaks the language of kafka-storage.
func storageCommand(w *command.World) *cobra.Command {
	return &cobra.Command{
		Use:                "storage format|info|random-uuid",
		Short:              "Format log directories, and say what is in them",
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			err := storage.Tool{World: machine(), Out: w.Out, ReadFile: os.ReadFile, Name: "ottla storage"}.Run(args)
			var use *storage.UsageError
			switch {
			case errors.As(err, &use) && use.File:
				return &command.Error{Err: err, Exit: command.Usage, Hint: explainKeys}
			case errors.As(err, &use) && use.Voters:
				return &command.Error{Err: err, Exit: command.Usage, Hint: "want ID@HOST:PORT:DIRECTORY,…, each with a directory id of its own from `ottla storage random-uuid`"}
			case errors.As(err, &use):
				help := strings.TrimSpace("ottla storage " + use.Command)
				return &command.Error{Err: err, Exit: command.Usage, Hint: help + " --help says what it takes"}
			case errors.Is(err, storage.ErrUnfit):
				return &command.Error{Err: err, Exit: command.Failed, Hint: "`ottla storage format` makes empty ones fit"}
			case errors.Is(err, storage.ErrFormatted):
				return &command.Error{Err: err, Exit: command.Failed, Hint: "a directory is formatted once: `ottla start` takes it as it is"}
			}
			return err
		},
	}
}
