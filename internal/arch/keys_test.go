package arch

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/config"
)

// TestKeysDoWhatTheySay holds the status of each broker key, by which a start warns and the reference page speaks, to the code: a key that is
// honoured is read by name somewhere, and one that has no effect is not. What only fills a field that nobody reads is not read.
func TestKeysDoWhatTheySay(t *testing.T) {
	read, ofTopics := keysRead(t)
	for _, k := range config.Keys(config.TopicResource) {
		for _, s := range k.Synonyms {
			read[s.Name] = read[s.Name] || ofTopics[k.Name]
		}
	}
	for _, k := range config.Keys(config.BrokerResource) {
		switch {
		case k.Status == config.Honoured && !read[k.Name] && !inOtherWords[k.Name]:
			t.Errorf("%s is said to act, and nobody reads it", k.Name)
		case k.Status == config.Accepted && read[k.Name]:
			t.Errorf("%s is said to have no effect, and is read", k.Name)
		}
	}
}

// inOtherWords are keys that act where the test does not look.
var inOtherWords = map[string]bool{
	"log.dir": true, // where log.dirs is checked
}

// onlyChecked are the files of package config that name keys without acting on them.
var onlyChecked = []string{"validate.go", "conflicts.go", "validators.go", "describe.go", "reference.go", "suggest.go"}

// readers are the packages that act on keys.
var readers = []string{"internal/config", "internal/node", "internal/api", "internal/controller", "internal/quorum", "internal/storage"}

// keysRead are the strings of the program that may be keys which are read: of brokers, and of topics, which package config alone reads.
func keysRead(t *testing.T) (brokers, topics map[string]bool) {
	t.Helper()
	brokers, topics = map[string]bool{}, map[string]bool{}
	for _, p := range load(t) {
		if !slices.Contains(readers, p.path) {
			continue
		}
		for _, file := range p.files {
			name := filepath.Base(p.fset.Position(file.Pos()).Filename)
			if p.path == "internal/config" && (strings.HasPrefix(name, "keys_") || slices.Contains(onlyChecked, name)) {
				continue
			}
			read := brokers
			if p.path == "internal/config" && name == "topic.go" {
				read = topics
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CompositeLit:
					owner, ok := n.Type.(*ast.Ident)
					switch {
					case !ok || p.path != "internal/config":
					case typed(owner.Name):
						noteFields(read, owner.Name, n)
						return false
					case owner.Name == "ConsumerGroup":
						noteTimes(read, "consumer")
					}
				case *ast.BasicLit:
					noteText(read, n)
				}
				return true
			})
		}
	}
	return brokers, topics
}

// noteFields notes the keys that fill the fields of a typed struct, unless nobody reads the field.
func noteFields(read map[string]bool, owner string, lit *ast.CompositeLit) {
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if field, ok := kv.Key.(*ast.Ident); ok && slices.Contains(unread, owner+"."+field.Name) {
			continue
		}
		ast.Inspect(kv.Value, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok {
				noteText(read, text)
			}
			return true
		})
	}
}

// noteTimes notes the keys that the times of a kind of groups come from: the common ones and their bounds.
func noteTimes(read map[string]bool, kind string) {
	for _, name := range []string{"session.timeout.ms", "heartbeat.interval.ms", "assignment.interval.ms"} {
		for _, bound := range []string{"", "min.", "max."} {
			read["group."+kind+"."+bound+name] = true
		}
	}
}

func noteText(read map[string]bool, lit *ast.BasicLit) {
	if lit.Kind != token.STRING {
		return
	}
	if s, err := strconv.Unquote(lit.Value); err == nil {
		read[s] = true
	}
}
