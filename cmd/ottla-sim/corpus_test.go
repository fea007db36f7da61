package main

import (
	"slices"
	"testing"
)

func TestCorpus(t *testing.T) {
	all, err := parseCorpus("# words\n\n12 a record twice\n7 planted vote-forgotten\n")
	if err != nil || !slices.Equal(all, []found{{12, "a record twice"}, {7, "planted vote-forgotten"}}) {
		t.Errorf("%v, %v", all, err)
	}
	for _, bad := range []string{"12", "x of nothing", "-1 a bug"} {
		if _, err := parseCorpus(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if _, err := parseCorpus(corpusText); err != nil {
		t.Error(err)
	}
}
