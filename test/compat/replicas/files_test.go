package replicas_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ottla/ottla/test/compat/replicas"
)

// Logs are the same whatever segments they are cut into, and differ by one byte, or by one byte more.
func TestCompare(t *testing.T) {
	dir := t.TempDir()
	for name, segments := range map[string][]string{"whole": {"abcdef"}, "cut": {"abc", "def"}, "other": {"abcdeg"}, "longer": {"abcdef", "g"}} {
		folder := filepath.Join(dir, name, "t-0")
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for i, bytes := range segments {
			if err := os.WriteFile(filepath.Join(folder, string(rune('0'+i))+".log"), []byte(bytes), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for other, same := range map[string]bool{"whole": true, "cut": true, "other": false, "longer": false} {
		size, got, err := replicas.Compare(filepath.Join(dir, "whole"), filepath.Join(dir, other), "t-0")
		if err != nil || (got == "") != same || same && size != 6 {
			t.Errorf("whole and %s: %q of %d bytes, %v", other, got, size, err)
		}
	}
	if _, got, err := replicas.Compare(filepath.Join(dir, "whole"), filepath.Join(dir, "missing"), "t-0"); err != nil || got == "" {
		t.Errorf("of no folder: %q, %v", got, err)
	}
}

func TestPlaced(t *testing.T) {
	for p, want := range [][]int32{{4, 1, 2}, {1, 2, 4}, {2, 4, 1}, {4, 1, 2}} {
		if got := replicas.Placed(int32(p), 4, 1, 2); !slices.Equal(got, want) {
			t.Errorf("partition %d: %v", p, got)
		}
	}
}
