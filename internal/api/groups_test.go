package api_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ottla/ottla/internal/testkit"
)

// Offsets of a group without members, with a client that was not written here: they survive a restart.
func TestSimpleGroup(t *testing.T) {
	n := testkit.Start(t, testkit.Options{Set: []string{"offsets.topic.num.partitions=50"}})
	n.Dial().Create("a", 2)
	ctx := t.Context()
	adm := kadm.NewClient(n.Client())
	var o kadm.Offsets
	o.AddOffset("a", 0, 5, -1)
	o.AddOffset("a", 1, 7, 0)
	if err := adm.CommitAllOffsets(ctx, "g", o); err != nil {
		t.Fatal(err)
	}
	check := func(adm *kadm.Client) {
		t.Helper()
		got, err := adm.FetchOffsets(ctx, "g")
		if err != nil {
			t.Fatal(err)
		}
		one, _ := got.Lookup("a", 0)
		two, _ := got.Lookup("a", 1)
		if one.At != 5 || two.At != 7 || two.LeaderEpoch != 0 {
			t.Errorf("fetched %+v and %+v", one, two)
		}
		list, err := adm.ListGroups(ctx)
		if err != nil || len(list) != 1 || list["g"].State != "Empty" {
			t.Errorf("listed %+v, %v", list, err)
		}
	}
	check(adm)
	n.Stop()
	n = testkit.Start(t, testkit.Options{FS: n.FS})
	check(kadm.NewClient(n.Client()))
}
