package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/cockroachdb/datadriven"
	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
)

// rewriting reports whether -rewrite is given: write golden files and documents anew. The flag is that of datadriven.
func rewriting() bool { return flag.Lookup("rewrite").Value.String() == "true" }

// schemas is where the schema of each command's output is kept: scripts rely on them, so a change shows up here.
const schemas = "testdata/schema"

// TestSchemasAreWhatTheyWere compares -o schema of every command with its golden file; -rewrite writes them anew.
func TestSchemasAreWhatTheyWere(t *testing.T) {
	kept := map[string]bool{}
	eachCommand(t, func(a *command.App, c *cobra.Command) {
		if c.Flag("output") == nil {
			return
		}
		got := a.Schema(c)
		if got == nil {
			t.Errorf("%s has -o and does not say what it prints: see App.Prints", c.CommandPath())
			return
		}
		name := strings.ReplaceAll(strings.TrimPrefix(c.CommandPath(), "ottla "), " ", "_") + ".json"
		kept[name] = true
		path := filepath.Join(schemas, name)
		if rewriting() {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("the output of %s has changed: go test ./internal/cli -run Schemas -rewrite, and tell it in the changelog (%v)", c.CommandPath(), err)
		}
	})
	files, err := filepath.Glob(filepath.Join(schemas, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if kept[filepath.Base(f)] {
			continue
		}
		t.Errorf("%s is of no command", f)
		if rewriting() {
			_ = os.Remove(f)
		}
	}
}

// eachCommand visits every command that does something, hidden ones apart.
func eachCommand(t *testing.T, visit func(*command.App, *cobra.Command)) {
	t.Helper()
	a := command.NewApp(&command.World{Getenv: func(string) string { return "" }})
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if !sub.Hidden {
				walk(sub)
			}
		}
		if c.RunE != nil && !c.HasSubCommands() {
			visit(a, c)
		}
	}
	walk(root(a, nil))
}

// prove is a [command.World.Proof] that holds what commands print against their schema.
func prove(schema, document []byte) error {
	var s map[string]any
	var v any
	if err := json.Unmarshal(schema, &s); err != nil {
		return fmt.Errorf("the command has no schema for %s: %w", document, err)
	}
	if err := json.Unmarshal(document, &v); err != nil {
		return err
	}
	if wrong := against(s, v, "$"); wrong != "" {
		return fmt.Errorf("this is not what the schema says: %s in %s", wrong, document)
	}
	return nil
}

// against checks v against as much of JSON Schema as ours use, and says where v differs.
func against(s map[string]any, v any, at string) string {
	if kinds := list(s["anyOf"]); kinds != nil {
		var all []string
		for _, one := range kinds {
			wrong := against(one.(map[string]any), v, at)
			if wrong == "" {
				return ""
			}
			all = append(all, wrong)
		}
		return strings.Join(all, "; ")
	}
	if c, ok := s["const"]; ok && c != v {
		return fmt.Sprintf("%s is %v, not %v", at, v, c)
	}
	if types := append(list(s["type"]), s["type"]); s["type"] != nil && !slices.ContainsFunc(types, func(word any) bool { return is(v, word) }) {
		return fmt.Sprintf("%s is %v, not of type %v", at, v, s["type"])
	}
	if items, ok := s["items"].(map[string]any); ok {
		for i, item := range list(v) {
			if wrong := against(items, item, fmt.Sprintf("%s[%d]", at, i)); wrong != "" {
				return wrong
			}
		}
	}
	if fields, ok := v.(map[string]any); ok {
		return againstFields(s, fields, at)
	}
	return ""
}

func againstFields(s, fields map[string]any, at string) string {
	for _, name := range list(s["required"]) {
		if _, there := fields[name.(string)]; !there {
			return fmt.Sprintf("%s.%s is missing", at, name)
		}
	}
	known, _ := s["properties"].(map[string]any)
	rest, free := s["additionalProperties"].(map[string]any)
	for name, field := range fields {
		one, ok := known[name].(map[string]any)
		if !ok && known != nil && !free {
			return fmt.Sprintf("%s.%s is not in the schema", at, name)
		}
		if !ok {
			one = rest
		}
		if wrong := against(one, field, at+"."+name); wrong != "" {
			return wrong
		}
	}
	return ""
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func is(v, word any) bool {
	switch v := v.(type) {
	case nil:
		return word == "null"
	case string:
		return word == "string"
	case bool:
		return word == "boolean"
	case float64:
		return word == "number" || word == "integer" && v == float64(int64(v))
	case []any:
		return word == "array"
	case map[string]any:
		return word == "object"
	}
	return false
}

func TestProofFindsWhatDiffers(t *testing.T) {
	f := func(schema, document, want string) {
		t.Helper()
		err := prove([]byte(schema), []byte(document))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s against %s: %v, want %q", document, schema, err, want)
		}
	}
	const s = `{"type":"object","required":["a"],"properties":{"a":{"type":["integer","null"]},"l":{"type":"array","items":{"type":"string"}}}}`
	f(s, `{"a":1,"l":["x"]}`, "")
	f(s, `{"a":null}`, "")
	f(s, `{"a":1.5}`, "$.a is 1.5")
	f(s, `{}`, "$.a is missing")
	f(s, `{"a":1,"b":1}`, "$.b is not in the schema")
	f(s, `{"a":1,"l":null}`, "$.l is <nil>")
	f(s, `{"a":1,"l":["x",1]}`, "$.l[1] is 1")
	f(`{"anyOf":[{"const":1},{"const":2}]}`, `3`, "$ is 3, not 1; $ is 3, not 2")
	f(`{"type":"object","additionalProperties":{"type":"string"}}`, `{"a":"b"}`, "")
	f(`{"type":"object","additionalProperties":{"type":"string"}}`, `{"a":true}`, "$.a is true")
}
