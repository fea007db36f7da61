package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// columns group the steps of the table: a step belongs to the first whose prefix it has.
var columns = []struct{ title, prefix string }{
	{"topics", "create list describe delete partitions"},
	{"write", "produce"},
	{"read", "consume same"},
	{"seek", "seek offsets"},
	{"config", "configs"},
	{"trim", "records"},
	{"cluster", "cluster api tool"},
	{"matrix", "read"},
	{"other", ""},
}

func columnOf(step string) int {
	head, _, _ := strings.Cut(step, "/")
	for i, c := range columns {
		if c.prefix == "" || slices.Contains(strings.Fields(c.prefix), head) {
			return i
		}
	}
	return len(columns) - 1
}

type tally struct{ passed, failed, skipped, deviating int }

func (t *tally) add(v verdict) {
	switch v.state {
	case passed:
		t.passed++
	case failed:
		t.failed++
	case skipped:
		t.skipped++
	case deviates:
		t.deviating++
	}
}

// String is "passed/all", with the failed and the skipped ones named.
func (t tally) String() string {
	all := t.passed + t.failed + t.skipped + t.deviating
	if all == 0 {
		return "."
	}
	out := fmt.Sprintf("%d/%d", t.passed, all)
	if t.failed > 0 {
		out += fmt.Sprintf(" %d!", t.failed)
	}
	if t.skipped > 0 {
		out += fmt.Sprintf(" %ds", t.skipped)
	}
	if t.deviating > 0 {
		out += fmt.Sprintf(" %dd", t.deviating)
	}
	return out
}

// report prints the failures, the skipped steps with their reasons, and the table; it says whether nothing failed.
func (s *suite) report(w io.Writer) bool {
	ok := true
	byClient := map[string][]tally{}
	reasons := map[string][]string{}
	for _, v := range s.verdicts {
		row, have := byClient[v.client]
		if !have {
			row = make([]tally, len(columns))
			byClient[v.client] = row
		}
		row[columnOf(v.step)].add(v)
		switch v.state {
		case failed:
			ok = false
			fmt.Fprintf(w, "FAIL %s %s\n      %s\n", v.client, v.step, v.detail)
		case skipped, deviates:
			what := map[state]string{skipped: "skipped", deviates: "deviates"}[v.state]
			key := fmt.Sprintf("%s %s: %s", what, v.client, v.detail)
			reasons[key] = append(reasons[key], v.step)
		}
		if s.o.verbose && v.state == passed {
			fmt.Fprintf(w, "ok   %s %s\n", v.client, v.step)
		}
	}
	printReasons(w, reasons)
	printTable(w, byClient)
	return ok
}

func printReasons(w io.Writer, reasons map[string][]string) {
	var keys []string
	for k := range reasons {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(w, "%s (%s)\n", k, strings.Join(reasons[k], ", "))
	}
}

func printTable(w io.Writer, byClient map[string][]tally) {
	fmt.Fprintf(w, "\n%-18s", "client")
	for _, c := range columns {
		fmt.Fprintf(w, "%-14s", c.title)
	}
	fmt.Fprintln(w)
	names := append(clientNames(), takeoverName)
	for _, name := range names {
		row, have := byClient[name]
		if !have {
			continue
		}
		fmt.Fprintf(w, "%-18s", name)
		for _, t := range row {
			fmt.Fprintf(w, "%-14s", t)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "passed/all; ! failed, s skipped, d deviates as docs/deviations.md says")
}

// lastLine is the one that machines read. A listed deviation is a passed step: the list is what was expected.
func (s *suite) lastLine() string {
	var t tally
	for _, v := range s.verdicts {
		t.add(v)
	}
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.passed+t.deviating, t.failed, t.skipped)
}
