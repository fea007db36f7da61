package side

import (
	"testing"
)

// Nodes of a cluster have addresses and folders of their own, a share of the memory, and know each other.
func TestNodesOfACluster(t *testing.T) {
	s, err := New(t.Context(), &Program{Kind: Ottla, Name: "Ottla"}, t.TempDir(), Settings{Nodes: 3, Memory: 9 << 30, Properties: map[string]string{"min.insync.replicas": "2"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.reserve(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, n := range s.Nodes {
		p := n.settings.Properties
		if int(n.ID) != i+1 || n.settings.Memory != 3<<30 || p["min.insync.replicas"] != "2" || p["controller.quorum.voters"] != s.Nodes[0].settings.Properties["controller.quorum.voters"] {
			t.Errorf("node %d is started with %+v", n.ID, n.settings)
		}
		for _, own := range []string{n.Address, n.controller, n.Dir, n.log, p["node.id"]} {
			if own == "" || seen[own] {
				t.Errorf("node %d shares %q", n.ID, own)
			}
			seen[own] = true
		}
	}
	first := s.Nodes[0].Address
	if err := s.reserve(); err != nil || s.Nodes[0].Address != first {
		t.Errorf("after a restart %s is %s, %v", first, s.Nodes[0].Address, err)
	}
	if s.Running() {
		t.Error("nothing was started")
	}
}

// What stores nothing is no cluster.
func TestABareServerIsAlone(t *testing.T) {
	s, err := New(t.Context(), &Program{Kind: Bare}, t.TempDir(), Settings{Nodes: 3, Memory: 9 << 30}, nil)
	if err != nil || len(s.Nodes) != 1 || s.Nodes[0].Dir != s.Dir || s.Nodes[0].settings.Memory != 9<<30 {
		t.Errorf("%+v, %v", s, err)
	}
}
