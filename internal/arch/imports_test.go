package arch

import (
	"slices"
	"strings"
	"testing"
)

// imports is the policy: on the left a package below internal/, on the right all of ours that it may import.
// Arrows point down the layers only; a core and a shell never import each other.
// Adding a word here is a decision about the architecture: say why in the commit.
const imports = `
L0  kafka:
L0  invariant:

L1  wire: kafka
L1  compress: kafka
L1  record: kafka compress
L1  schema: kafka

L2  metadata: kafka schema wire record
L2  controller: kafka schema wire record metadata
L2  replica: kafka wire record
L2  producer: kafka wire record
L2  fetchsession: kafka wire record

L3  vfs: kafka
L3  segment: kafka record vfs
L3  transport: kafka wire

L4  commitlog: kafka record vfs segment producer
L4  purgatory: kafka
L4  partition: kafka record replica producer commitlog purgatory metadata vfs compress
L4  quorum: kafka record schema metadata controller segment commitlog vfs

L5  api: kafka wire record schema metadata controller fetchsession producer transport commitlog purgatory partition quorum config compress

L6  config: kafka
L6  obs: kafka
L6  storage: kafka record schema metadata vfs commitlog config
L6  node: kafka wire record schema metadata controller fetchsession compress vfs segment transport commitlog purgatory partition quorum api config obs storage
L6  inspect: kafka wire compress record schema producer metadata vfs segment commitlog
L6  cli: kafka config inspect
T   testkit: kafka record config storage vfs node

L6  launch: kafka config storage vfs node cli
`

// never holds edges that the table could one day allow by mistake, with the reason.
var never = []struct{ from, to, why string }{
	{"api", "segment", "ask partition"},
	{"api", "vfs", "ask partition"},
	{"controller", "go.etcd.io/raft/v3", "the controller proposes, quorum appends"},
	{"cli", "partition", "the tools speak to a node as a Kafka client"},
	{"commitlog", "os", "files are reached through vfs"},
	{"segment", "os", "files are reached through vfs"},
	{"partition", "os", "files are reached through vfs"},
	{"quorum", "os", "files are reached through vfs"},
}

func TestImportsPointDown(t *testing.T) {
	allowed := policy(t)
	for _, p := range load(t) {
		if !strings.HasPrefix(p.path, "internal/") || p.path == "internal/arch" {
			continue
		}
		room := roomOf(p.path)
		may, known := allowed[room]
		if !known {
			t.Errorf("%s has no line in the policy: decide its layer", p.path)
			continue
		}
		for _, imp := range p.imports() {
			ours, ok := strings.CutPrefix(imp, module+"/internal/")
			if !ok {
				continue
			}
			if to := strings.Split(ours, "/")[0]; to != room && !slices.Contains(may, to) {
				t.Errorf("%s imports %s, which the policy does not allow", p.path, ours)
			}
		}
	}
}

func TestForbiddenImports(t *testing.T) {
	for _, p := range load(t) {
		for _, n := range never {
			if p.path != "internal/"+n.from {
				continue
			}
			for _, imp := range p.imports() {
				if imp == n.to || imp == module+"/internal/"+n.to {
					t.Errorf("%s imports %s: %s", p.path, n.to, n.why)
				}
			}
		}
	}
}

func TestPolicyIsAcyclic(t *testing.T) {
	allowed := policy(t)
	state := map[string]int{}
	var visit func(string)
	visit = func(p string) {
		switch state[p] {
		case 1:
			t.Errorf("the policy has a cycle through %s", p)
			return
		case 2:
			return
		}
		state[p] = 1
		for _, to := range allowed[p] {
			visit(to)
		}
		state[p] = 2
	}
	for p := range allowed {
		visit(p)
	}
}

// policy reads the table: room to the rooms it may import.
func policy(t *testing.T) map[string][]string {
	t.Helper()
	rules := map[string][]string{}
	for line := range strings.Lines(imports) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		left, right, ok := strings.Cut(line, ":")
		words := strings.Fields(left)
		if !ok || len(words) != 2 {
			t.Fatalf("policy line %q: want «L<n>  room: rooms»", line)
		}
		rules[words[1]] = strings.Fields(right)
	}
	return rules
}

// roomOf is the first folder below internal/.
func roomOf(path string) string { return strings.Split(path, "/")[1] }
