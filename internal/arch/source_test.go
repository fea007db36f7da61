package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	module = "github.com/ottla/ottla"
	root   = "../.."
)

// pkg is the source of one folder.
type pkg struct {
	path  string // below the module
	fset  *token.FileSet
	files map[string]*ast.File // without tests and generated files
	tests map[string]*ast.File
}

// load parses the module once.
func load(t *testing.T) []*pkg {
	t.Helper()
	pkgs, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}

var parsed = sync.OnceValues(func() ([]*pkg, error) {
	byDir := map[string]*pkg{}
	var order []*pkg
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(path, d)
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		dir, _ := filepath.Rel(root, filepath.Dir(path))
		dir = filepath.ToSlash(dir)
		p := byDir[dir]
		if p == nil {
			p = &pkg{path: dir, fset: token.NewFileSet(), files: map[string]*ast.File{}, tests: map[string]*ast.File{}}
			byDir[dir] = p
			order = append(order, p)
		}
		return p.add(path)
	})
	return order, err
})

func skipDir(path string, d fs.DirEntry) error {
	name := d.Name()
	if name == "testdata" || name == "node_modules" || name == "ottla-data" || path != root && strings.HasPrefix(name, ".") {
		return filepath.SkipDir
	}
	if path != root {
		if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
			return filepath.SkipDir // another module
		}
	}
	return nil
}

func (p *pkg) add(path string) error {
	f, err := parser.ParseFile(p.fset, path, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	switch {
	case strings.HasSuffix(path, "_test.go"):
		p.tests[path] = f
	case !ast.IsGenerated(f):
		p.files[path] = f
	}
	return nil
}

// imports lists the imports of the package without its tests.
func (p *pkg) imports() []string {
	var all []string
	for _, f := range p.files {
		for _, s := range f.Imports {
			if path, err := strconv.Unquote(s.Path.Value); err == nil {
				all = append(all, path)
			}
		}
	}
	return all
}

// lines is the length of a node.
func (p *pkg) lines(n ast.Node) int {
	return p.fset.Position(n.End()).Line - p.fset.Position(n.Pos()).Line + 1
}
