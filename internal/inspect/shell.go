package inspect

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Shell walks a tree with the commands of Kafka's metadata shell: cat, cd, exit, find, help, history, ls, man, pwd, tree.
type Shell struct {
	Root *Node
	Out  io.Writer
	// Width is the number of columns that ls may use, 0 for one name in each line.
	Width int
	// Interactive allows the commands that only make sense when there is a next one.
	Interactive bool

	at      []string // the folder that paths begin in
	history []string
}

// shellCommand is a command of the shell.
type shellCommand struct {
	name, about string
	// argument is what the command takes: "" for nothing, targets for any number of paths, else one word.
	argument    string
	needs       bool // at least one argument
	interactive bool
	run         func(*Shell, []string)
}

// shellCommands are all commands, sorted by name.
var shellCommands []shellCommand

func init() {
	shellCommands = []shellCommand{
		{"cat", "Show the contents of metadata files.", "targets", true, false, (*Shell).cat},
		{"cd", "Set the current working directory.", "target", false, true, (*Shell).cd},
		{"exit", "Exit the metadata shell.", "", false, true, nil},
		{"find", "Search for nodes in the directory hierarchy.", "paths", false, false, (*Shell).find},
		{"help", "Display this help message.", "", false, true, (*Shell).help},
		{"history", "Print command history.", "numEntriesToShow", false, true, (*Shell).tell},
		{"ls", "List metadata nodes.", "targets", false, false, (*Shell).ls},
		{"man", "Show the help text for a specific command.", "cmd", true, true, (*Shell).man},
		{"pwd", "Print the current working directory.", "", false, true, func(s *Shell, _ []string) { fmt.Fprintln(s.Out, "/"+strings.Join(s.at, "/")) }},
		{"tree", "Show the contents of metadata nodes in a tree structure.", "targets", true, false, (*Shell).tree},
	}
}

// Line runs a line as it was typed, and reports false when it was exit.
func (s *Shell) Line(line string) bool {
	if words := strings.Fields(line); len(words) > 0 {
		s.history = append(s.history, strings.TrimSpace(line))
		return s.Run(words)
	}
	return true
}

// Run runs a command, and reports false when it was exit. What is wrong with it is printed.
func (s *Shell) Run(words []string) bool {
	for len(words) > 0 && words[len(words)-1] == "" {
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return true
	}
	var names []string
	for _, c := range shellCommands {
		if c.interactive && !s.Interactive {
			continue
		}
		names = append(names, "'"+c.name+"'")
		if c.name != words[0] {
			continue
		}
		args := words[1:]
		switch {
		case c.run == nil:
			return false
		case c.needs && len(args) == 0:
			fmt.Fprintln(s.Out, "too few arguments")
		case len(args) > 0 && c.argument == "", len(args) > 1 && !strings.HasSuffix(c.argument, "s"):
			fmt.Fprintln(s.Out, "unrecognized arguments: '"+args[len(args)-1]+"'")
		default:
			c.run(s, args)
		}
		return true
	}
	fmt.Fprintf(s.Out, "invalid choice: '%s' (choose from %s)\n", words[0], strings.Join(names, ", "))
	return true
}

// found is a node and its path.
type found struct {
	path []string
	node *Node
}

func (f found) name() string {
	if len(f.path) == 0 {
		return "/"
	}
	return f.path[len(f.path)-1]
}

// glob finds the nodes of a path in which *, ? and {a,b} stand for names.
func (s *Shell) glob(path string) []found {
	var words []string
	if !strings.HasPrefix(path, "/") {
		words = slices.Clone(s.at)
	}
	for word := range strings.SplitSeq(path, "/") {
		switch {
		case word == "" || word == ".":
		case word == ".." && len(words) > 0:
			words = words[:len(words)-1]
		case word != "..":
			words = append(words, word)
		}
	}
	at := []found{{nil, s.Root}}
	for _, word := range words {
		var next []found
		match := globWord(word)
		for _, f := range at {
			for _, c := range f.node.Children() {
				if c.Name == word || match != nil && match.MatchString(c.Name) {
					next = append(next, found{append(slices.Clone(f.path), c.Name), c})
				}
			}
		}
		at = next
	}
	return at
}

// globWord is the expression of one word of a path, nil for a word that stands for itself.
func globWord(word string) *regexp.Regexp {
	if !strings.ContainsAny(word, "*?{") {
		return nil
	}
	var b strings.Builder
	b.WriteString("^")
	group := false
	for i := 0; i < len(word); i++ {
		switch c := word[i]; {
		case c == '*':
			b.WriteString(".*")
		case c == '?':
			b.WriteString(".")
		case c == '{' && !group:
			b.WriteString("(?:(?:")
			group = true
		case c == '}' && group:
			b.WriteString("))")
			group = false
		case c == ',' && group:
			b.WriteString(")|(?:")
		case c == '\\' && i+1 < len(word):
			i++
			b.WriteString(regexp.QuoteMeta(word[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(word[i : i+1]))
		}
	}
	b.WriteString("$")
	e, err := regexp.Compile(b.String())
	if err != nil {
		return nil
	}
	return e
}

func (s *Shell) cat(targets []string) {
	for _, t := range targets {
		all := s.glob(t)
		for _, f := range all {
			if f.node.IsDir() {
				fmt.Fprintf(s.Out, "cat: %s: Is a directory\n", t)
				continue
			}
			f.node.Print(s.Out)
		}
		if all == nil {
			fmt.Fprintf(s.Out, "cat: %s: No such file or directory.\n", t)
		}
	}
}

func (s *Shell) tree(targets []string) {
	for _, t := range targets {
		all := s.glob(t)
		for _, f := range all {
			f.node.Print(s.Out)
		}
		if all == nil {
			fmt.Fprintf(s.Out, "tree: %s: No such file or directory.\n", t)
		}
	}
}

func (s *Shell) cd(args []string) {
	target := "/"
	if len(args) > 0 {
		target = args[0]
	}
	all := s.glob(target)
	for _, f := range all {
		if !f.node.IsDir() {
			fmt.Fprintf(s.Out, "cd: %s: not a directory.\n", target)
			continue
		}
		s.at = f.path
	}
	if all == nil {
		fmt.Fprintf(s.Out, "cd: %s: no such directory.\n", target)
	}
}

// effective are the paths that are not empty, or where the shell is.
func effective(paths []string) []string {
	paths = slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return p == "" })
	if len(paths) == 0 {
		return []string{"."}
	}
	return paths
}

func (s *Shell) find(paths []string) {
	for _, p := range effective(paths) {
		all := s.glob(p)
		for _, f := range all {
			s.below(p, f.node)
		}
		if all == nil {
			fmt.Fprintf(s.Out, "find: %s: no such file or directory.\n", p)
		}
	}
}

// below prints the paths of a node and all below it.
func (s *Shell) below(path string, n *Node) {
	fmt.Fprintln(s.Out, path)
	for _, c := range n.Children() {
		next := path + "/" + c.Name
		if path == "/" {
			next = path + c.Name
		}
		s.below(next, c)
	}
}

func (s *Shell) ls(targets []string) {
	var files []string
	var folders []found
	for _, t := range effective(targets) {
		all := s.glob(t)
		for _, f := range all {
			if f.node.IsDir() {
				folders = append(folders, f)
			} else {
				files = append(files, f.name())
			}
		}
		if all == nil {
			fmt.Fprintf(s.Out, "ls: %s: no such file or directory.\n", t)
		}
	}
	s.printNames("", files)
	many := files != nil || len(folders) > 1
	for i, f := range folders {
		title := ""
		if many && (i > 0 || files != nil) {
			title = "\n"
		}
		if many {
			title += f.name() + ":"
		}
		var names []string
		for _, c := range f.node.Children() {
			names = append(names, c.Name)
		}
		s.printNames(title, names)
	}
}

// printNames prints names in as many columns as there is room for, a column after the other.
func (s *Shell) printNames(title string, names []string) {
	if len(names) == 0 {
		return
	}
	if title != "" {
		fmt.Fprintln(s.Out, title)
	}
	widths, rows := s.columns(names)
	for row := range rows {
		var line strings.Builder
		for c, width := range widths {
			i := c*rows + row
			if i >= len(names) {
				continue
			}
			line.WriteString(names[i])
			if c < len(widths)-1 {
				line.WriteString(strings.Repeat(" ", width-len(names[i])))
			}
		}
		fmt.Fprintln(s.Out, line.String())
	}
}

// columns are the widths of the most columns that fit, and the number of rows.
func (s *Shell) columns(names []string) (widths []int, rows int) {
	const narrowest, gap = 4, 2
	for n := min(s.Width/narrowest, len(names)); n > 1; n-- {
		rows := (len(names) + n - 1) / n
		widths, total := make([]int, n), 0
		for i, name := range names {
			widths[i/rows] = max(widths[i/rows], len(name)+gap)
		}
		for _, w := range widths {
			total += w
		}
		if widths[n-1] > 0 && total <= s.Width {
			return widths, rows
		}
	}
	return []int{0}, len(names)
}

func (s *Shell) help([]string) {
	fmt.Fprint(s.Out, "Welcome to the metadata shell.\n\n")
	for _, c := range shellCommands {
		fmt.Fprintf(s.Out, "  %-10s %s\n", c.name, c.about)
	}
}

func (s *Shell) man(args []string) {
	for _, c := range shellCommands {
		if c.name == args[0] {
			fmt.Fprintf(s.Out, "%s: %s\n\nusage: %s", c.name, c.about, c.name)
			if c.argument != "" {
				fmt.Fprintf(s.Out, " [%s]", c.argument)
			}
			fmt.Fprintln(s.Out)
			return
		}
	}
	fmt.Fprintf(s.Out, "man: unknown command %s. Type help to get a list of commands.\n", args[0])
}

// tell prints the last lines that were typed.
func (s *Shell) tell(args []string) {
	most := len(s.history)
	if len(args) > 0 {
		n, err := strconv.Atoi(args[0])
		if err != nil {
			fmt.Fprintf(s.Out, "argument numEntriesToShow: could not convert '%s' to Integer\n", args[0])
			return
		}
		most = max(min(n, most), 0)
	}
	for i := len(s.history) - most; i < len(s.history); i++ {
		fmt.Fprintf(s.Out, "% 5d  %s\n", i, s.history[i])
	}
}
