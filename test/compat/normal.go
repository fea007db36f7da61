package main

import (
	"regexp"
	"slices"
	"strings"
)

// What differs between two runs on several nodes, and what stands for it: who leads what and who coordinates is drawn.
var drawn = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`"leader":\s*\d+`), `"leader":0`},
	{regexp.MustCompile(`Leader: \d+`), "Leader: N"},
	{regexp.MustCompile(`LeaderId:( +)\d+`), "LeaderId:${1}N"},
	{regexp.MustCompile(`ADDRESS \(\d+\)`), "ADDRESS (N)"},
}

// lists are of node ids, the leader's first.
var lists = regexp.MustCompile(`(Replicas|Isr): [\d,]+`)

// away is what else differs while a node may be away: how many there are.
var away = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`"isr":\s*2\b`), `"isr":3`},
	{regexp.MustCompile(`"brokers":\s*2\b`), `"brokers":3`},
}

// normal gives the steps freed of what differs between runs on several nodes; those of one node are as they are.
func normal(steps []step, o options) []step {
	if o.nodes == 1 {
		return steps
	}
	out := slices.Clone(steps)
	for i, s := range out {
		text := string(s.Result)
		for _, d := range drawn {
			text = d.what.ReplaceAllString(text, d.with)
		}
		text = lists.ReplaceAllStringFunc(text, sorted)
		for _, d := range away {
			if o.hurt {
				text = d.what.ReplaceAllString(text, d.with)
			}
		}
		out[i].Result = []byte(text)
	}
	return out
}

// sorted sorts the ids of `Name: 3,1,2`.
func sorted(text string) string {
	name, ids, _ := strings.Cut(text, " ")
	all := strings.Split(ids, ",")
	slices.Sort(all)
	return name + " " + strings.Join(all, ",")
}

// promised says whether a step's outcome is, with nodes being killed, what the protocol promises: acks below all promise nothing.
func promised(step string) bool {
	_, topic, _ := strings.Cut(step, "/")
	return topic != "acks0" && topic != "acks1"
}

// excuse takes the verdicts of what is not promised for skipped ones.
func excuse(vs []verdict) {
	for i := range vs {
		if vs[i].state == failed && !promised(vs[i].step) {
			vs[i].state, vs[i].detail = skipped, "acks below all promise nothing when nodes are killed"
		}
	}
}
