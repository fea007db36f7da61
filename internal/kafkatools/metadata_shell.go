package kafkatools

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/ottla/ottla/internal/inspect"
	"github.com/ottla/ottla/internal/kafkatools/java"
)

const shellUsage = "usage: kafka-metadata-shell [-h] --snapshot SNAPSHOT [command ...]\n"

// metadataShell is kafka-metadata-shell: one command, or all that are typed.
func metadataShell(_ context.Context, w *World, args []string) int {
	file := ""
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		name, value, cut := strings.Cut(args[0], "=")
		switch name {
		case "-h", "--help":
			w.printf("%s\nWalks through the metadata of a cluster, as a snapshot or a segment of __cluster_metadata has it.\n", shellUsage)
			return 0
		case "-s", "--snapshot":
		default:
			w.errorln(shellUsage + "kafka-metadata-shell: error: unrecognized arguments: '" + args[0] + "'")
			return 1
		}
		switch {
		case cut:
			file, args = value, args[1:]
		case len(args) < 2:
			w.errorln(shellUsage + "kafka-metadata-shell: error: argument --snapshot/-s: expected one argument")
			return 1
		default:
			file, args = args[1], args[2:]
		}
	}
	if file == "" {
		w.errorln(shellUsage + "kafka-metadata-shell: error: argument --snapshot/-s is required")
		return 1
	}
	root, err := metadataTree(w, file)
	if err != nil {
		w.errorln("Unexpected error: " + err.Error())
		return 1
	}
	s := &inspect.Shell{Root: root, Out: w.Out}
	if len(args) > 0 {
		s.Run(args)
		return 0
	}
	w.println("Loading...\nStarting...\n[ Kafka Metadata Shell ]")
	return w.converse(s)
}

func metadataTree(w *World, file string) (*inspect.Node, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("java.nio.file.NoSuchFileException: %s", file)
	}
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
	return inspect.Tree(image, w.Compat.String(), "ottla", java.Double), nil
}

// converse runs the commands that come on stdin.
func (w *World) converse(s *inspect.Shell) int {
	s.Interactive = true
	if out, ok := w.In.(*os.File); ok && term.IsTerminal(int(out.Fd())) {
		if width, _, err := term.GetSize(int(out.Fd())); err == nil {
			s.Width = width
		}
	}
	lines := bufio.NewScanner(w.In)
	for {
		w.printf(">> ")
		w.flush()
		if !lines.Scan() || !s.Line(lines.Text()) {
			return 0
		}
	}
}
