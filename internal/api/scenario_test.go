package api_test

import (
	"path/filepath"
	"testing"

	"github.com/ottla/ottla/internal/testkit"
)

// The files NN_*.txt are conversations with a node; testkit.Scenario says how to read them.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/[0-9][0-9]_*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scenarios, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { testkit.RunScenario(t, file, testkit.Options{}) })
	}
}
