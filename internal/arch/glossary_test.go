package arch

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGlossaryNamesWhatIsThere: each Go word of the glossary's second column is an identifier somewhere in the code, or a package.
func TestGlossaryNamesWhatIsThere(t *testing.T) {
	known := map[string]bool{}
	for _, p := range load(t) {
		for _, f := range p.files {
			known[f.Name.Name] = true
		}
		p.inspect(func(n ast.Node) {
			if id, ok := n.(*ast.Ident); ok {
				known[id.Name] = true
			}
		})
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "glossary.md"))
	if err != nil {
		t.Fatal(err)
	}
	quoted, rows := regexp.MustCompile("`([^`]+)`"), 0
	for _, line := range strings.Split(string(text), "\n") {
		columns := strings.Split(line, "|")
		if len(columns) != 5 || strings.HasPrefix(columns[1], "---") {
			continue
		}
		rows++
		for _, span := range quoted.FindAllStringSubmatch(columns[2], -1) {
			for _, word := range strings.Split(span[1], ".") {
				if !known[word] {
					t.Errorf("%s is called `%s`, and nothing in the code is: %s", strings.TrimSpace(columns[1]), span[1], word)
				}
			}
		}
	}
	if rows < 40 {
		t.Errorf("%d rows: is it a table still?", rows)
	}
}
