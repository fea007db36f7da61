package arch

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// impure holds imports that a core may not have, with the reason.
var impure = map[string]string{
	"sync":        "a core has one owner; the engine locks",
	"sync/atomic": "a core has one owner; the engine publishes",
	"os":          "a core does not reach the system",
	"net":         "a core does not reach the network",
	"context":     "a core does not wait",
	"log":         "a core returns what it wants said",
	"log/slog":    "a core returns what it wants said",
	"math/rand":   "randomness is given at construction, as a *rand.Rand of math/rand/v2",
	"crypto/rand": "randomness is given at construction",
}

// clockCalls are the functions of package time that read or wait for the clock.
var clockCalls = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

// globalRandom are functions of package math/rand/v2 that draw from a source that nobody gave.
var globalRandom = []string{"Int", "IntN", "Int32", "Int32N", "Int64", "Int64N", "Uint32", "Uint64", "N", "Float64", "Perm", "Shuffle"}

// pureToo are folders of other layers that decide and do not act.
var pureToo = []string{"internal/cli/clusters/moves"}

func TestCoresArePure(t *testing.T) {
	pure := append(cores(t), "placement") // a word of layer 0 that decides
	for _, p := range load(t) {
		if !strings.HasPrefix(p.path, "internal/") || !slices.Contains(pure, roomOf(p.path)) && !slices.Contains(pureToo, p.path) {
			continue
		}
		for _, imp := range p.imports() {
			if why, bad := impure[imp]; bad {
				t.Errorf("%s imports %s: %s", p.path, imp, why)
			}
		}
		p.inspect(func(n ast.Node) {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine", p.fset.Position(n.Pos()))
			case *ast.SelectStmt:
				t.Errorf("%s selects", p.fset.Position(n.Pos()))
			case *ast.SelectorExpr:
				if calls(n, "time", clockCalls) {
					t.Errorf("%s reads the clock: take now as an argument", p.fset.Position(n.Pos()))
				}
				if calls(n, "rand", globalRandom) {
					t.Errorf("%s draws from the global source: take a *rand.Rand at construction", p.fset.Position(n.Pos()))
				}
			}
		})
	}
}

// Only node and the commands see the process's environment and arguments.
func TestNothingBelowNodeReadsTheEnvironment(t *testing.T) {
	free := []string{"internal/node", "internal/cli/command", "internal/arch"}
	for _, p := range load(t) {
		if !strings.HasPrefix(p.path, "internal/") || slices.Contains(free, p.path) {
			continue
		}
		p.inspect(func(n ast.Node) {
			if s, ok := n.(*ast.SelectorExpr); ok && calls(s, "os", []string{"Getenv", "LookupEnv", "Environ", "Args", "ExpandEnv"}) {
				t.Errorf("%s reads the environment: take it as an argument", p.fset.Position(n.Pos()))
			}
		})
	}
}

func TestTestsDoNotSleep(t *testing.T) {
	for _, p := range load(t) {
		for _, f := range p.tests {
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && calls(s, "time", []string{"Sleep"}) {
					t.Errorf("%s sleeps: wait for the event, or use testing/synctest", p.fset.Position(n.Pos()))
				}
				return true
			})
		}
	}
}

func (p *pkg) inspect(visit func(ast.Node)) {
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			if n != nil {
				visit(n)
			}
			return true
		})
	}
}

func calls(s *ast.SelectorExpr, pkg string, names []string) bool {
	id, ok := s.X.(*ast.Ident)
	return ok && id.Name == pkg && slices.Contains(names, s.Sel.Name)
}
