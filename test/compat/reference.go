package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ottla/ottla/test/compat/peer"
)

// reference is what Apache Kafka 4.4.0 made of one client's steps.
type reference map[string]step

func referenceFile(root, client string) string {
	return filepath.Join(root, "test", "compat", "testdata", "kafka-"+peer.ServerVersion, client+".jsonl")
}

func loadReference(root, client string) (reference, error) {
	b, err := os.ReadFile(referenceFile(root, client))
	if err != nil {
		return nil, fmt.Errorf("no reference for %s (make it by -peer kafka -record): %w", client, err)
	}
	steps, err := parseSteps(b)
	if err != nil {
		return nil, err
	}
	ref := reference{}
	for _, s := range steps {
		ref[s.Step] = s
	}
	return ref, nil
}

func saveReference(root, client string, steps []step) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for _, s := range steps {
		if err := enc.Encode(s); err != nil {
			return err
		}
	}
	file := referenceFile(root, client)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, out.Bytes(), 0o644)
}

// verdict is what became of one step.
type verdict struct {
	client, step string
	state        state
	detail       string // for a skip the reason, for a failure both outcomes
}

type state int

const (
	passed state = iota
	failed
	skipped
	deviates // differs, as docs/deviations.md says
)

// judge compares a run with the reference: every step of both, in the order of the run.
func judge(client string, got []step, ref reference, allowed deviations) []verdict {
	var out []verdict
	seen := map[string]bool{}
	for _, s := range got {
		seen[s.Step] = true
		v := verdict{client: client, step: s.Step}
		want, ok := ref[s.Step]
		switch {
		case s.Skip != "" && ok && want.Skip != "":
			v.state, v.detail = skipped, s.Skip
		case ok && s.outcome() == want.outcome():
		case allowed.has(client, s.Step):
			v.state, v.detail = deviates, s.outcome()
		case !ok:
			v.state, v.detail = failed, "not in the reference: "+s.describe()
		default:
			v.state, v.detail = failed, "Kafka: "+want.describe()+"\n      here: "+s.describe()
		}
		out = append(out, v)
	}
	for name := range ref {
		switch {
		case seen[name]:
		case allowed.has(client, name):
			out = append(out, verdict{client: client, step: name, state: deviates, detail: "not there"})
		default:
			out = append(out, verdict{client: client, step: name, state: failed, detail: "the client did not come to this step"})
		}
	}
	return out
}

// describe is the outcome with the wording of an error.
func (s step) describe() string {
	if s.Error != "" && s.Code != nil {
		return s.outcome() + " (" + s.Error + ")"
	}
	return s.outcome()
}

// deviations are the steps that docs/deviations.md lists: a row's first cell is `compat CLIENT STEP`, where * is any
// text and {a,b} one of several.
type deviations []*regexp.Regexp

var deviationRow = regexp.MustCompile("^\\|\\s*`(compat \\S+ [^`]+)`")

func loadDeviations(root string) (deviations, error) {
	b, err := os.ReadFile(filepath.Join(root, "docs", "deviations.md"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseDeviations(string(b))
}

func parseDeviations(text string) (deviations, error) {
	var all deviations
	for line := range strings.SplitSeq(text, "\n") {
		if m := deviationRow.FindStringSubmatch(line); m != nil {
			glob := strings.NewReplacer(`\*`, ".*", `\{`, "(", `\}`, ")", ",", "|").Replace(regexp.QuoteMeta(m[1]))
			re, err := regexp.Compile("^" + glob + "$")
			if err != nil {
				return nil, fmt.Errorf("docs/deviations.md: %s: %w", m[1], err)
			}
			all = append(all, re)
		}
	}
	return all, nil
}

func (d deviations) has(client, step string) bool {
	for _, re := range d {
		if re.MatchString("compat " + client + " " + step) {
			return true
		}
	}
	return false
}
