package arch

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// imports is the policy: on the left a room (a folder of internal/; ottla is the root of the module) and its layer, on the right all of ours that it
// imports. Arrows point down the layers only, or to a sibling that is listed; a core and a shell never import each
// other. S is a side leaf, seen from L3 up; T is for tests only.
// Adding a word here is a decision about the architecture: say why in the commit.
const imports = `
L0  kafka:
L0  histogram:
L0  placement:
L0  planted:

L1  wire: kafka
L1  compress:
L1  record: kafka compress
L1  schema: kafka

L2  metadata: kafka schema planted
L2  controller: kafka schema metadata placement planted
L2  replica: kafka planted
L2  producer: kafka record planted
L2  fetchsession: kafka
L2  compaction: kafka compress record
L2  shard: kafka metadata
L2  course: kafka
L2  group: kafka schema metadata shard planted

L3  vfs:
L3  segment: kafka record vfs
L3  rawconn:
L3  transport: rawconn
L3  peer: kafka wire rawconn
L3  memnet:
L3  ports:

L4  commitlog: kafka record vfs segment producer compaction planted
L4  purgatory: kafka
L4  partition: kafka record replica producer compaction commitlog purgatory metadata vfs compress planted obs
L4  metalog: kafka record schema metadata segment vfs planted
L4  quorum: kafka record schema metadata controller segment commitlog metalog vfs planted
L4  raftnet: kafka wire metadata peer quorum
L4  observer: kafka metadata controller course peer quorum
L4  forward: kafka controller peer quorum
L4  replication: kafka controller peer quorum replica partition obs
L4  coordinator: kafka compress record metadata shard purgatory partition planted

L5  api: kafka wire record metadata controller replica fetchsession shard group transport commitlog purgatory partition quorum raftnet forward coordinator config obs

L6  storage: kafka schema metadata vfs commitlog metalog config
L6  node: kafka compress compaction metadata controller fetchsession shard group vfs segment transport peer commitlog purgatory partition metalog quorum observer raftnet forward replication coordinator api config storage obs adminhttp
L6  adminhttp: obs
L6  inspect: kafka record schema metadata metalog vfs
L6  cli: kafka config histogram inspect
L6  kafkatools: kafka placement schema config inspect
L6  launch: ports config storage vfs node cli kafkatools obs
L6  ottla: kafka metadata memnet ports vfs peer coordinator api config storage node

S   config: kafka
S   obs:
T   sim: kafka record schema metadata controller replica fetchsession shard group commitlog segment vfs purgatory partition metalog quorum replication coordinator
T   testkit: kafka record wire ports config storage vfs node
`

// never holds edges that the table could one day allow by mistake, with the reason. They are of rooms, folders below
// them included.
var never = []struct{ from, to, why string }{
	{"api", "segment", "ask partition"},
	{"api", "vfs", "ask partition"},
	{"controller", "go.etcd.io/raft/v3", "the controller proposes, quorum appends"},
	{"cli", "partition", "the tools speak to a node as a Kafka client"},
	{"cli", "kafkatools", "Apache's front end and ours share a protocol, not a grammar"},
	{"kafkatools", "cli", "Apache's front end and ours share a protocol, not a grammar"},
	{"commitlog", "os", "files are reached through vfs"},
	{"segment", "os", "files are reached through vfs"},
	{"partition", "os", "files are reached through vfs"},
	{"quorum", "os", "files are reached through vfs"},
	{"metalog", "os", "files are reached through vfs"},
	{"metalog", "go.etcd.io/raft/v3", "the files of the metadata log are read where nobody votes"},
	{"inspect", "quorum", "reading files offline links no Raft: ask metalog"},
}

func TestImportsAreThePolicy(t *testing.T) {
	rooms := policy(t)
	used := map[[2]string]bool{}
	exists := map[string]bool{}
	for _, p := range load(t) {
		if !isRoom(p.path) || p.path == "internal/arch" {
			continue
		}
		from := roomOf(p.path)
		exists[from] = true
		r, known := rooms[from]
		if !known {
			t.Errorf("%s has no line in the policy: decide its layer", p.path)
			continue
		}
		for _, to := range p.rooms() {
			used[[2]string{from, to}] = true
			if to != from && !slices.Contains(r.may, to) {
				t.Errorf("%s imports %s, which the policy does not allow", p.path, to)
			}
		}
	}
	for from, r := range rooms {
		if !exists[from] {
			t.Errorf("the policy has a line for %s, which does not exist", from)
		}
		for _, to := range r.may {
			if !used[[2]string{from, to}] {
				t.Errorf("the policy lets %s import %s, which it does not: take the word out", from, to)
			}
		}
	}
}

func TestImportsPointDown(t *testing.T) {
	rooms := policy(t)
	for from, r := range rooms {
		for _, to := range r.may {
			target, known := rooms[to]
			if !known {
				t.Errorf("the policy lets %s import %s, which has no line", from, to)
				continue
			}
			if why := edge(r.layer, target.layer); why != "" {
				t.Errorf("%s %s may not import %s %s: %s", r.layer, from, target.layer, to, why)
			}
		}
	}
}

// edge says why a room of one layer may not import a room of another; "" when it may.
func edge(from, to string) string {
	switch {
	case to == "T":
		return "only tests import what is for tests"
	case from == "T":
		return ""
	case from == "S" && to != "L0":
		return "a side leaf speaks the vocabulary and nothing else"
	case from == "S":
		return ""
	case to == "S" && from < "L3":
		return "configuration is given to codecs and cores as arguments"
	case to == "S":
		return ""
	case from == "L2" && to == "L3", from == "L3" && to == "L2":
		return "a core and a shell meet in an engine"
	case to > from:
		return "it points up"
	}
	return ""
}

// The tools speak to a cluster as Kafka clients: nothing of what a node decides, stores or serves by is linked into them.
func TestToolsAreClients(t *testing.T) {
	rooms := policy(t)
	for _, from := range []string{"cli", "kafkatools"} {
		for _, to := range rooms[from].may {
			if layer := rooms[to].layer; layer >= "L2" && layer <= "L5" {
				t.Errorf("%s may not import %s %s: ask a node, or keep what only the tools use below them", from, layer, to)
			}
		}
	}
}

func TestEdge(t *testing.T) {
	for pair, may := range map[string]bool{
		"L2 L1": true, "L2 L2": true, "L4 L3": true, "L4 L2": true, "L3 S": true, "L6 S": true, "S L0": true, "T L6": true,
		"L1 L2": false, "L5 L6": false, "L2 L3": false, "L3 L2": false, "L2 S": false, "L0 S": false, "S L1": false, "L6 T": false,
	} {
		from, to, _ := strings.Cut(pair, " ")
		if why := edge(from, to); (why == "") != may {
			t.Errorf("%s to %s: %q", from, to, why)
		}
	}
}

func TestForbiddenImports(t *testing.T) {
	for _, p := range load(t) {
		for _, n := range never {
			if !strings.HasPrefix(p.path, "internal/") || roomOf(p.path) != n.from {
				continue
			}
			if slices.Contains(p.imports(), n.to) || slices.Contains(p.rooms(), n.to) {
				t.Errorf("%s imports %s: %s", p.path, n.to, n.why)
			}
		}
	}
}

// What reads files offline links no Raft, through whatever it imports.
func TestInspectLinksNoRaft(t *testing.T) {
	all := map[string]*pkg{}
	for _, p := range load(t) {
		all[p.path] = p
	}
	seen := map[string]bool{}
	var visit func(path, through string)
	visit = func(path, through string) {
		p := all[path]
		if p == nil || seen[path] {
			return
		}
		seen[path] = true
		for _, imp := range p.imports() {
			if strings.HasPrefix(imp, "go.etcd.io/raft/") {
				t.Errorf("%s links %s", through, imp)
			}
			ours, _ := strings.CutPrefix(imp, module+"/")
			visit(ours, through+" → "+ours)
		}
	}
	visit("internal/inspect", "internal/inspect")
	if !seen["internal/metalog"] {
		t.Error("internal/inspect does not reach internal/metalog: nothing was looked at")
	}
}

// What stands outside internal/ and is no test imports no package that is for tests, but for the program that is one.
func TestProgramsDoNotImportTestRooms(t *testing.T) {
	rooms := policy(t)
	for _, p := range load(t) {
		if strings.HasPrefix(p.path, "internal/") || p.path == "cmd/ottla-sim" {
			continue
		}
		for _, to := range p.rooms() {
			if rooms[to].layer == "T" {
				t.Errorf("%s imports %s, which is for tests", p.path, to)
			}
		}
	}
}

func TestPolicyIsAcyclic(t *testing.T) {
	rooms := policy(t)
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
		for _, to := range rooms[p].may {
			visit(to)
		}
		state[p] = 2
	}
	for p := range rooms {
		visit(p)
	}
}

// room is one line of the policy.
type room struct {
	layer string // L0 to L6, S or T
	may   []string
}

// layered are the words that a layer may be called.
var layered = regexp.MustCompile(`^(L[0-6]|S|T)$`)

// policy reads the table: room to its layer and the rooms it may import.
func policy(t *testing.T) map[string]room {
	t.Helper()
	rooms := map[string]room{}
	for line := range strings.Lines(imports) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		left, right, ok := strings.Cut(line, ":")
		words := strings.Fields(left)
		if !ok || len(words) != 2 || !layered.MatchString(words[0]) {
			t.Fatalf("policy line %q: want «LAYER  room: rooms»", line)
		}
		if _, twice := rooms[words[1]]; twice {
			t.Fatalf("policy: %s has two lines", words[1])
		}
		rooms[words[1]] = room{layer: words[0], may: strings.Fields(right)}
	}
	return rooms
}

// cores are the rooms of layer 2: they decide and do not act.
func cores(t *testing.T) []string {
	t.Helper()
	var all []string
	for name, r := range policy(t) {
		if r.layer == "L2" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// isRoom reports whether a folder is, or is in, a room: the others are programs, and hold no logic.
func isRoom(path string) bool { return path == "." || strings.HasPrefix(path, "internal/") }

// roomOf is the first folder below internal/.
func roomOf(path string) string {
	if path == "." {
		return "ottla"
	}
	return strings.Split(path, "/")[1]
}

// rooms are the rooms that the package imports, without its tests.
func (p *pkg) rooms() []string {
	var all []string
	for _, imp := range p.imports() {
		if ours, ok := strings.CutPrefix(imp, module+"/"); ok && strings.HasPrefix(ours, "internal/") {
			all = append(all, roomOf(ours))
		}
	}
	return all
}

// The page that shows the layers shows these: each line of its picture begins with a layer or with none, then the room.
func TestArchitecturePageShowsTheRooms(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	picture := regexp.MustCompile(`(?m)^    (L[0-6]|S |T |  ) {2}([a-z]+) {2,}\S`)
	shown, layer := map[string]string{}, ""
	for _, line := range picture.FindAllStringSubmatch(string(page), -1) {
		layer = cmp.Or(strings.TrimSpace(line[1]), layer)
		shown[line[2]] = layer
	}
	rooms := policy(t)
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		if shown[name] != rooms[name].layer {
			t.Errorf("docs/ARCHITECTURE.md shows %s on layer %q, it is on %s", name, shown[name], rooms[name].layer)
		}
		delete(shown, name)
	}
	for name, layer := range shown {
		t.Errorf("docs/ARCHITECTURE.md shows %s %s, which does not exist", layer, name)
	}
}
