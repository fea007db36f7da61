package arch

import (
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
)

// unread are the fields of the typed configuration that nothing acts on yet. It only gets shorter: a field that somebody reads comes off,
// and a new one is to be read by somebody.
var unread = []string{
	"NetworkLimits.ConnectTimeoutMax", "QuorumLimits.FetchTimeout",
	"QuorumLimits.LogRetention", "QuorumLimits.LogRetentionBytes",
}

// TestConfigurationIsRead finds configuration that is parsed and then forgotten: each field of package config's typed structs has to be
// selected by name somewhere outside of it. A field that shares its name with another one passes too easily; none fails wrongly.
func TestConfigurationIsRead(t *testing.T) {
	fields, selected := map[string]string{}, map[string]bool{}
	for _, p := range load(t) {
		for _, file := range p.files {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "kgo" {
						break // the client's option of that name
					}
					selected[n.Sel.Name] = selected[n.Sel.Name] || p.path != "internal/config"
				case *ast.TypeSpec:
					if s, ok := n.Type.(*ast.StructType); ok && p.path == "internal/config" && typed(n.Name.Name) {
						addFields(fields, n.Name.Name, s)
					}
				}
				return true
			})
		}
	}
	if len(fields) < 70 {
		t.Fatalf("only %d fields are found", len(fields))
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		listed := slices.Contains(unread, name)
		switch read := selected[fields[name]]; {
		case !read && !listed:
			t.Errorf("config.%s is parsed and nobody reads it", name)
		case read && listed:
			t.Errorf("config.%s is read now: take it off the list", name)
		}
	}
	for _, name := range unread {
		if fields[name] == "" {
			t.Errorf("config.%s is listed and does not exist", name)
		}
	}
}

// typed reports whether a struct of package config is part of the configuration as a node reads it.
func typed(name string) bool {
	return name == "Node" || name == "Topic" || name == "TopicDefaults" || strings.HasSuffix(name, "Limits")
}

func addFields(fields map[string]string, owner string, s *ast.StructType) {
	for _, f := range s.Fields.List {
		for _, name := range f.Names {
			fields[owner+"."+name.Name] = name.Name
		}
	}
}
