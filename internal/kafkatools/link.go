package kafkatools

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// linkCommand is the command of ottla that makes links.
const linkCommand = "link-compat"

const linkHelp = `usage: ottla link-compat DIR
       ottla link-compat --list

Make links to this binary in DIR, under the names of Apache Kafka's tools: kafka-topics.sh, kafka-topics and so on.
Links of ours that are there are kept up to date; anything else of such a name is left alone, and is an error.
--list prints the names of the tools.
`

func linkMain(w *World, args []string, extra []Tool) int {
	names := toolNames(extra)
	switch {
	case len(args) == 1 && args[0] == "--list":
		for _, n := range names {
			w.println(n)
		}
		return 0
	case len(args) == 1 && (args[0] == "--help" || args[0] == "-h"):
		w.printf("%s", linkHelp)
		return 0
	case len(args) != 1 || args[0] == "" || args[0][0] == '-':
		w.errorln("ottla: " + linkCommand + " needs the folder for the links\n  hint: ottla " + linkCommand + " --help says more")
		return 2
	}
	binary, err := os.Executable()
	if err == nil {
		binary, err = filepath.EvalSymlinks(binary)
	}
	if err != nil {
		w.errorln("ottla: where this binary is:", err)
		return 1
	}
	made, err := Link(args[0], binary, names)
	if err != nil {
		w.errorln("ottla: " + err.Error())
		return 1
	}
	w.printf("%d links to %s in %s", 2*len(names), binary, args[0])
	if kept := 2*len(names) - len(made); kept > 0 {
		w.printf(" (%d were there)", kept)
	}
	w.printf(": %s and so on\n", names[0]+".sh")
	return 0
}

func toolNames(extra []Tool) []string {
	var names []string
	for _, t := range append(tools(), extra...) {
		names = append(names, t.Name)
	}
	slices.Sort(names)
	return names
}

// Link makes symbolic links to binary in dir, two for each name: NAME.sh and NAME. dir is made when it is missing. A link
// to a binary of the same file name is taken for one of ours and replaced when it leads elsewhere; anything else that is
// in the way is an error, found before the first link is made. Link returns the paths that it made.
func Link(dir, binary string, names []string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var missing []string
	for _, n := range names {
		for _, path := range []string{filepath.Join(dir, n+".sh"), filepath.Join(dir, n)} {
			target, err := os.Readlink(path)
			switch {
			case err == nil && target == binary:
			case err == nil && filepath.Base(target) == filepath.Base(binary), errors.Is(err, fs.ErrNotExist):
				missing = append(missing, path)
			default:
				return nil, fmt.Errorf("%s is not a link to %s: it is left alone, and no link was made", path, filepath.Base(binary))
			}
		}
	}
	for i, path := range missing {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return missing[:i], err
		}
		if err := os.Symlink(binary, path); err != nil {
			return missing[:i], err
		}
	}
	return missing, nil
}
