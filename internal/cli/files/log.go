package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/inspect"
)

// Command is `ottla log`: what reads the files of a node, without the node.
func Command(a *command.App) *cobra.Command {
	return command.Parent(&cobra.Command{Use: "log", Short: "Look into a server's files, without a server"}, logDump(a), logVerify(a), logIndex(a))
}

func logDump(a *command.App) *cobra.Command {
	o := &inspect.Options{}
	cmd := reading(a, o, &cobra.Command{
		Use:   "dump FILE|DIR...",
		Short: "Print what is in the files of a log directory",
		Long: "Print what is in the files of a log directory: segments (.log), their indexes (.index, .timeindex, .txnindex), producer\n" +
			"snapshots (.snapshot), metadata snapshots (.checkpoint), and the small files beside them. Of a directory, its files.\n" +
			"Nothing is changed, and the server may run.",
		Example: "  ottla log dump ottla-data/orders-0\n" +
			"  ottla log dump --records ottla-data/orders-0/00000000000000000000.log\n" +
			"  ottla log dump ottla-data/__cluster_metadata-0 --cluster-metadata -o jsonl\n" +
			"  ottla log dump ottla-data/__consumer_offsets-12",
	})
	cmd.Flags().BoolVarP(&o.Records, "records", "v", false, "print the records of each batch")
	decoderFlags(cmd, o)
	return cmd
}

func logVerify(a *command.App) *cobra.Command {
	o := &inspect.Options{Verify: true}
	cmd := reading(a, o, &cobra.Command{
		Use:   "verify FILE|DIR...",
		Short: "Check the files of a log directory, and those of the directories below",
		Long: "Check batches, records, and indexes against their logs, of a directory and of those below it, and print the damage and a\n" +
			"summary of each file. Nothing is changed. While the server runs, the end of what it writes just then may look cut off.",
		Example: "  ottla log verify ottla-data",
	})
	decoderFlags(cmd, o)
	return cmd
}

func logIndex(a *command.App) *cobra.Command {
	return reading(a, &inspect.Options{Indexes: true}, &cobra.Command{
		Use:   "index FILE|DIR...",
		Short: "Print the indexes of segments: which offset and which time is where",
		Long: "Print the indexes of segments, and check each entry against the log beside it: offsets (.index), times (.timeindex) and\n" +
			"aborted transactions (.txnindex). Nothing is changed.",
		Example: "  ottla log index ottla-data/orders-0",
	})
}

// reading makes cmd a command that shows files as o says.
func reading(a *command.App, o *inspect.Options, cmd *cobra.Command) *cobra.Command {
	cmd.Args = command.Args(1, -1, "a FILE or a DIR")
	cmd.RunE = func(cmd *cobra.Command, paths []string) error {
		o.JSON = a.Output.Value == "jsonl"
		var f command.Failures
		progress := &seen{Line: a.Line()}
		defer progress.End("")
		for _, p := range paths {
			if err := show(a, p, *o, progress); err != nil {
				for _, one := range split(err) {
					f.Add(failure(cmd.Name(), one))
				}
				continue
			}
			f.Done++
		}
		return f.Or()
	}
	a.OutputFlags(cmd.Flags())
	return a.Prints(cmd, command.LinesOf[found]())
}

// found is what -o jsonl prints of each thing; the other fields depend on its kind.
type found struct {
	Kind string `json:"kind"`
}

func decoderFlags(cmd *cobra.Command, o *inspect.Options) {
	f := cmd.Flags()
	f.BoolVar(&o.Metadata, "cluster-metadata", false, "decode records as those of __cluster_metadata (of itself in a folder of that name)")
	f.BoolVar(&o.Offsets, "offsets", false, "decode records as those of __consumer_offsets (of itself in a folder of one of its partitions)")
	f.BoolVar(&o.Transactions, "transactions", false, "decode records as those of __transaction_state (of itself in a folder of one of its partitions)")
}

func show(a *command.App, path string, o inspect.Options, progress *seen) error {
	// A relative path may not say which topic it is of.
	if full, err := filepath.Abs(path); err == nil {
		for _, dir := range []string{filepath.Base(filepath.Dir(full)), filepath.Base(full)} {
			o.Metadata = o.Metadata || dir == inspect.MetadataFolder
			o.Offsets = o.Offsets || strings.HasPrefix(dir, offsetsFolders)
			o.Transactions = o.Transactions || strings.HasPrefix(dir, transactionsFolders)
		}
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.IsDir() {
		w := &watched{to: a.Out}
		if err := inspect.Folder(w, folder{os.DirFS(path), progress}, filepath.ToSlash(path), o); err != nil || w.wrote {
			return err
		}
		if o.Indexes {
			a.Notice("%s: no index has an entry", path)
			return nil
		}
		return fmt.Errorf("%s: no files of a log are there", path)
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return inspect.File(a.Out, filepath.ToSlash(path), file{f, progress}, st.Size(), o)
}

// watched knows whether something was written.
type watched struct {
	to    io.Writer
	wrote bool
}

// Write implements io.Writer.
func (w *watched) Write(b []byte) (int, error) {
	w.wrote = w.wrote || len(b) > 0
	return w.to.Write(b)
}

// What the folders of the partitions of internal topics begin with.
const (
	offsetsFolders      = "__consumer_offsets-"
	transactionsFolders = "__transaction_state-"
)

// split undoes errors.Join, so that each failure has a line of its own.
func split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, split(e)...)
		}
		return all
	}
	return []error{err}
}

func failure(verb string, err error) error {
	e := &command.Error{What: "log " + verb, Err: err}
	switch {
	case errors.Is(err, inspect.ErrDamaged):
		e.Exit = command.Failed
		e.Hint = "the lines of kind damage say where"
	case errors.Is(err, inspect.ErrUnknown):
		e.Exit = command.Usage
		e.Hint = "the name tells what a file is: NNN.log, NNN.index, leader-epoch-checkpoint, …"
	case errors.Is(err, fs.ErrNotExist):
		e.Hint = "log.dirs in the server's configuration says where its files are"
	}
	return e
}
