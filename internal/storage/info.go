package storage

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/vfs"
)

// Info prints what the log directories of a node hold, as Kafka's tool does, and reports whether they are fit for use.
func (w World) Info(n *config.Node, out io.Writer) bool {
	var found, problems []string
	var first *checkpoint.Meta
	for _, dir := range Dirs(n) {
		entry, err := w.FS.Stat(dir)
		switch {
		case err != nil:
			problems = append(problems, dir+" does not exist")
			continue
		case !entry.Dir:
			problems = append(problems, dir+" is not a directory")
			continue
		}
		found = append(found, dir)
		m, ok, err := checkpoint.ReadMeta(w.FS, dir)
		switch {
		case err != nil:
			file := path.Join(dir, checkpoint.MetaFile)
			problems = append(problems, fmt.Sprintf("Error loading %s: %s", file, strings.TrimPrefix(err.Error(), file+": ")))
		case !ok:
			problems = append(problems, dir+" is not formatted.")
		case first == nil:
			first = &m
		case first.ClusterID != m.ClusterID:
			problems = append(problems, "Mismatched cluster IDs between storage directories.")
		case first.NodeID != m.NodeID:
			problems = append(problems, "Mismatched node IDs between storage directories.")
		}
	}
	if first != nil && first.Version == 0 {
		problems = append(problems, "The kafka configuration file appears to be for a cluster in KRaft mode, but the"+
			" directories are formatted for legacy mode.")
	}
	listed(out, found, "Found log directory:", "Found log directories:")
	if first != nil {
		fmt.Fprintf(out, "Found metadata: {%s}\n\n", strings.Join(metaFields(w.FS, found), ", "))
	}
	listed(out, problems, "Found problem:", "Found problems:")
	return len(problems) == 0
}

func listed(out io.Writer, lines []string, one, many string) {
	if len(lines) == 0 {
		return
	}
	title := many
	if len(lines) == 1 {
		title = one
	}
	fmt.Fprintf(out, "%s\n  %s\n\n", title, strings.Join(lines, "\n  "))
}

// metaFields are the settings in the first meta.properties that can be read, sorted.
func metaFields(fs vfs.FS, dirs []string) []string {
	for _, dir := range dirs {
		file := path.Join(dir, checkpoint.MetaFile)
		if _, ok, err := checkpoint.ReadMeta(fs, dir); !ok || err != nil {
			continue
		}
		text, err := vfs.ReadFile(fs, file)
		if err != nil {
			continue
		}
		props, err := config.ParseProperties(file, text)
		if err != nil {
			continue
		}
		var fields []string
		for _, p := range props {
			fields = append(fields, p.Key+"="+p.Value)
		}
		slices.Sort(fields)
		return fields
	}
	return nil
}
