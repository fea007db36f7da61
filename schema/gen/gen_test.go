package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cockroachdb/datadriven"
)

const root = "../.."

// The committed files are what the definitions give today.
func TestGeneratedFilesAreFresh(t *testing.T) {
	files, err := generate(os.DirFS(filepath.Join(root, "schema")))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 5 {
		t.Fatalf("only %d files", len(files))
	}
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run go generate ./internal/schema", path)
		}
	}
	for _, pattern := range []string{"internal/schema/zz_*.go", "internal/wire/zz_*.go"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := files[filepath.ToSlash(rel)]; !ok {
				t.Errorf("%s comes from no definition", rel)
			}
		}
	}
}

// What a definition gives, and what is refused.
func TestDefinitions(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			area := "sample"
			if d.Cmd == "request" {
				area = "request"
			}
			files, err := generate(fstest.MapFS{area + "/x.schema": {Data: []byte(d.Input)}})
			if err != nil {
				message, _, _ := strings.Cut(err.Error(), "\n")
				return message
			}
			switch d.Cmd {
			case "record":
				return string(files["internal/schema/zz_sample.go"])
			case "compiles":
				return "ok"
			case "request":
				return string(files["internal/wire/zz_layouts.go"])
			}
			d.Fatalf(t, "no such command")
			return ""
		})
	})
}
