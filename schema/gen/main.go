package main

import (
	"cmp"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen ROOT: writes the generated files of the module at ROOT")
		os.Exit(2)
	}
	files, err := generate(os.DirFS(filepath.Join(os.Args[1], "schema")))
	for path, text := range files {
		if err == nil {
			err = os.WriteFile(filepath.Join(os.Args[1], path), text, 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// requestArea is the folder of the requests; all others hold records.
const requestArea = "request"

// generate returns the generated files by their paths in the module.
func generate(defs fs.FS) (map[string][]byte, error) {
	all, err := load(defs)
	if err != nil {
		return nil, err
	}
	sources := map[string]string{}
	byArea := map[string][]*message{}
	for _, m := range all {
		area, _, _ := strings.Cut(m.path, "/")
		byArea[area] = append(byArea[area], m)
	}
	for area, records := range byArea {
		if area == requestArea {
			sources["internal/wire/zz_layouts.go"] = emitLayouts(records)
			continue
		}
		sources["internal/schema/zz_"+area+".go"] = emitRecords(records)
	}
	sources["internal/schema/zz_registry.go"] = emitRegistry(byArea["metadata"]) + emitGroupRegistry(byArea["group"])
	out := map[string][]byte{}
	for path, src := range sources {
		text, err := format.Source([]byte(src))
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", path, err, src)
		}
		out[path] = text
	}
	return out, nil
}

// load parses every *.schema file, in order of the paths.
func load(defs fs.FS) ([]*message, error) {
	var all []*message
	types := map[string]string{}
	err := fs.WalkDir(defs, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".schema" {
			return err
		}
		text, err := fs.ReadFile(defs, name)
		if err != nil {
			return err
		}
		messages, err := parseFile(name, string(text))
		if err != nil {
			return err
		}
		for _, m := range messages {
			if err := claimNames(types, m); err != nil {
				return err
			}
		}
		all = append(all, messages...)
		return nil
	})
	return all, err
}

// claimNames refuses two Go types of one name. The structs of requests become no Go types.
func claimNames(types map[string]string, m *message) error {
	if isRequest := m.kind == "request"; isRequest != strings.HasPrefix(m.path, requestArea+"/") {
		return fmt.Errorf("%s: requests belong into %s, records elsewhere", m.path, requestArea)
	} else if isRequest {
		return nil
	}
	for _, s := range append([]*structure{&m.structure}, nested(&m.structure)...) {
		if other, ok := types[s.name]; ok {
			return fmt.Errorf("%s: %s is defined in %s too", m.path, s.name, other)
		}
		types[s.name] = m.path
	}
	return nil
}

func emitRecords(records []*message) string {
	var e emitter
	for _, m := range records {
		e.record(m)
	}
	var head emitter
	var imports []string
	for _, pkg := range []string{"encoding/binary", "strconv", "github.com/ottla/ottla/internal/kafka"} {
		if strings.Contains(e.String(), path.Base(pkg)+".") {
			imports = append(imports, pkg)
		}
	}
	head.header("schema", imports...)
	return head.String() + e.String()
}

// emitRegistry writes the table from API key to metadata record.
func emitRegistry(records []*message) string {
	slices.SortFunc(records, func(a, b *message) int { return cmp.Compare(a.key, b.key) })
	var e emitter
	e.header("schema")
	e.f("// metadataTypes is sorted by key.\nvar metadataTypes = [...]metadataType{\n")
	for _, m := range records {
		name := goName(m.name)
		e.f("{%d, %q, %d, %d, func() MetadataRecord { x := New%s(); return &x }},\n", m.key, upperSnake(m.name), m.in.first, m.in.last, name)
	}
	e.f("}\n")
	return e.String()
}

// emitGroupRegistry writes the table from API key to the key and the value of a group record.
func emitGroupRegistry(records []*message) string {
	byKey := map[int][2]string{}
	for _, m := range records {
		pair := byKey[m.key]
		if m.value {
			pair[1] = goName(m.name)
		} else {
			pair[0] = goName(m.name)
		}
		byKey[m.key] = pair
	}
	var e emitter
	e.f("\n// groupTypes is sorted by key.\nvar groupTypes = [...]groupType{\n")
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		pair := byKey[key]
		e.f("{%d, func() GroupMessage { x := New%s(); return &x }, func() GroupMessage { x := New%s(); return &x }},\n", key, pair[0], pair[1])
	}
	e.f("}\n")
	return e.String()
}

// upperSnake is how Kafka's tools print a type: NoOpRecord → NO_OP_RECORD.
func upperSnake(s string) string {
	var out strings.Builder
	for i := range len(s) {
		if i > 0 && s[i] >= 'A' && s[i] <= 'Z' {
			out.WriteByte('_')
		}
		out.WriteByte(s[i])
	}
	return strings.ToUpper(out.String())
}
