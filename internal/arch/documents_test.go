package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// links are the targets of Markdown links.
	links = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// folders are what a go command of a document is given: ./cmd/ottla in `go run ./cmd/ottla dev`. X stands for any.
	folders = regexp.MustCompile(`\bgo (?:run|test|build|install|generate|vet) [^|\n` + "`" + `]*?(\./[A-Za-z0-9_/-]+)`)
)

func TestLinksOfDocumentsLead(t *testing.T) {
	eachDocument(t, func(path, text string) {
		for _, m := range links.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", path, m[1])
			}
		}
	})
}

func TestCommandsOfDocumentsNameFolders(t *testing.T) {
	eachDocument(t, func(path, text string) {
		for _, m := range folders.FindAllStringSubmatch(text, -1) {
			if folder := filepath.Join(root, m[1]); filepath.Base(folder) != "X" && !isFolder(folder) {
				t.Errorf("%s: %q names a folder that is not there", path, m[0])
			}
		}
	})
}

func isFolder(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// eachDocument visits the Markdown files of the module.
func eachDocument(t *testing.T, visit func(path, text string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(path, d)
		}
		if strings.HasSuffix(path, ".md") {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			visit(path, string(text))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
