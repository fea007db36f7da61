package sim

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// What is left is what is needed, whatever lies between.
func TestShrink(t *testing.T) {
	all := strings.Fields("0 1 2 3 4 5 6 7 8 9 loss drift")
	for _, needed := range []string{"", "3", "0 9", "2 3 7 drift", "0 1 2 3 4 5 6 7 8 9 loss drift"} {
		runs := 0
		got := shrink(all, func(some []string) bool {
			runs++
			return !slices.ContainsFunc(strings.Fields(needed), func(n string) bool { return !slices.Contains(some, n) })
		})
		if strings.Join(got, " ") != needed || runs > 60 {
			t.Errorf("%q after %d runs, want %q", got, runs, needed)
		}
	}
}

func TestKindsOfFailures(t *testing.T) {
	for _, same := range [][2]string{
		{"C1: record 1/0/3", "C1: record 2/0/99"}, {"nodes 0 and 1 lead the quorum in epoch 3", "nodes 2 and 1 lead the quorum in epoch 13"},
	} {
		if kind(errors.New(same[0])) != kind(errors.New(same[1])) {
			t.Errorf("%q and %q are of two kinds", same[0], same[1])
		}
	}
	if kind(errors.New("C1: x")) == kind(errors.New("C22: x")) || kind(errors.New("nodes 0 and 1 lead")) == kind(errors.New("node 1 leads t-0")) {
		t.Error("two failures are of one kind")
	}
}

// A fault that is left out changes neither when the others come nor which they are.
func TestFaultsStandAlone(t *testing.T) {
	whole := Run(3, nil, Choice{})
	if less := Run(3, nil, Choice{Without: whole.Troubles[:1]}); len(whole.Troubles) < 3 || !slices.Equal(less.Troubles, whole.Troubles) || less.Hash == whole.Hash {
		t.Errorf("%v, and without the first %v", whole.Troubles, less.Troubles)
	}
	if none := Run(3, nil, Choice{Only: []string{}}); none.Err != nil || none.Sometimes["process killed"]+none.Sometimes["node isolated"]+none.Sometimes["message repeated"] > 0 {
		t.Errorf("without any fault: %v, %v", none.Err, none.Sometimes)
	}
}
