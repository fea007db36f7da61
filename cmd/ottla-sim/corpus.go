package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

//go:embed corpus.txt
var corpusText string

// found is a seed that once found something.
type found struct {
	seed uint64
	what string // the bug; "planted" and its name for one that is in builds with that tag alone
}

// plantedBug begins what a line says of a planted bug.
const plantedBug = "planted "

// parseCorpus reads the lines of a corpus: a seed, and what it found. Those that begin with # say something else.
func parseCorpus(text string) (all []found, err error) {
	for i, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		number, what, _ := strings.Cut(line, " ")
		seed, err := strconv.ParseUint(number, 10, 64)
		if what = strings.TrimSpace(what); err != nil || what == "" {
			return nil, fmt.Errorf("line %d of the corpus is not a seed and what it found: %q", i+1, line)
		}
		all = append(all, found{seed, what})
	}
	return all, nil
}

// corpus returns the seeds that once found something, each once; of planted bugs that of one bug, "" for all else.
func corpus(bug string) (seeds []uint64) {
	all, err := parseCorpus(corpusText)
	if err != nil {
		panic(err) // a test reads it
	}
	for _, f := range all {
		name, isPlanted := strings.CutPrefix(f.what, plantedBug)
		if is := isPlanted && name == bug || !isPlanted && bug == ""; is && !slices.Contains(seeds, f.seed) {
			seeds = append(seeds, f.seed)
		}
	}
	return seeds
}
