package script

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// Entry is one request's outcome.
type Entry struct {
	// API names the file of the cases, such as 19_create_topics or, for the
	// controller listener, 19_create_topics@controller.
	API string
	// Case is the case's name, unique within API.
	Case string
	// Version is the request's version.
	Version int16
	// Lines are the outcome: "path: value" for each field that is not at its
	// default, or one word for an outcome without answer.
	Lines []string
}

// Transcript is every entry of one run of the script, in the order of play.
type Transcript []Entry

// block is a run of versions that answered a case alike.
type block struct {
	name     string
	from, to int16
	lines    []string
}

// fold joins neighbouring versions with equal outcomes, case by case, in the
// order in which cases first came.
func fold(entries []Entry) []block {
	var names []string
	byName := map[string][]Entry{}
	for _, e := range entries {
		if _, ok := byName[e.Case]; !ok {
			names = append(names, e.Case)
		}
		byName[e.Case] = append(byName[e.Case], e)
	}
	var out []block
	for _, n := range names {
		es := byName[n]
		sort.SliceStable(es, func(i, j int) bool { return es[i].Version < es[j].Version })
		for _, e := range es {
			if k := len(out) - 1; k >= 0 && out[k].name == n && out[k].to == e.Version-1 && slices.Equal(out[k].lines, e.Lines) {
				out[k].to = e.Version
				continue
			}
			out = append(out, block{n, e.Version, e.Version, e.Lines})
		}
	}
	return out
}

// APIs lists the names of the APIs in t, in the order of play.
func (t Transcript) APIs() []string {
	var out []string
	for _, e := range t {
		if !slices.Contains(out, e.API) {
			out = append(out, e.API)
		}
	}
	return out
}

func (t Transcript) of(api string) []Entry {
	var out []Entry
	for _, e := range t {
		if e.API == api {
			out = append(out, e)
		}
	}
	return out
}

// WriteDir writes t into dir, one text file per API.
func (t Transcript) WriteDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, api := range t.APIs() {
		var b strings.Builder
		for _, k := range fold(t.of(api)) {
			fmt.Fprintf(&b, "= v%d-v%d %s\n", k.from, k.to, k.name)
			for _, l := range k.lines {
				b.WriteString(l)
				b.WriteByte('\n')
			}
			b.WriteByte('\n')
		}
		if err := os.WriteFile(filepath.Join(dir, api+".txt"), []byte(b.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// ReadDir reads what WriteDir wrote: every *.txt file in dir of fsys.
func ReadDir(fsys fs.FS, dir string) (Transcript, error) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	var out Transcript
	for _, n := range names {
		b, err := fs.ReadFile(fsys, n)
		if err != nil {
			return nil, err
		}
		es, err := parse(strings.TrimSuffix(path.Base(n), ".txt"), string(b))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n, err)
		}
		out = append(out, es...)
	}
	return out, nil
}

func parse(api, text string) ([]Entry, error) {
	var out []Entry
	var k *block
	flush := func() {
		if k == nil {
			return
		}
		for v := k.from; v <= k.to; v++ {
			out = append(out, Entry{API: api, Case: k.name, Version: v, Lines: k.lines})
		}
	}
	sc := bufio.NewScanner(strings.NewReader(text))
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		line := sc.Text()
		switch {
		case strings.HasPrefix(line, "= "):
			flush()
			k = &block{}
			versions, name, _ := strings.Cut(line[2:], " ")
			if _, err := fmt.Sscanf(versions, "v%d-v%d", &k.from, &k.to); err != nil || name == "" || k.to < k.from {
				return nil, fmt.Errorf("line %d: no block header: %q", n, line)
			}
			k.name = name
		case line == "":
		case k == nil:
			return nil, fmt.Errorf("line %d: text before the first block", n)
		default:
			k.lines = append(k.lines, line)
		}
	}
	flush()
	return out, sc.Err()
}
