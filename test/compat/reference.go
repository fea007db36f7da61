package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/ottla/ottla/test/compat/peer"
)

// reference is what Apache Kafka 4.4.0 made of one client's steps.
type reference map[string]step

// referenceFile is that of a cluster of some nodes; of more than one it has the steps that differ from those of one.
func referenceFile(root, client string, nodes int) string {
	if nodes > 1 {
		client += fmt.Sprintf(".nodes-%d", nodes)
	}
	return filepath.Join(root, "test", "compat", "testdata", "kafka-"+peer.ServerVersion, client+".jsonl")
}

// loadReference gives the steps of a client on so many nodes.
func loadReference(root, client string, nodes int) (reference, error) {
	ref, err := readReference(referenceFile(root, client, 1), client)
	if err != nil || nodes == 1 {
		return ref, err
	}
	more, err := readReference(referenceFile(root, client, nodes), client)
	maps.Copy(ref, more)
	return ref, err
}

func readReference(file, client string) (reference, error) {
	b, err := os.ReadFile(file)
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

// saveReference keeps the steps, of a cluster those that differ from one node's.
func saveReference(root, client string, steps []step, nodes int) error {
	if nodes > 1 {
		one, err := loadReference(root, client, 1)
		if err != nil {
			return err
		}
		steps = slices.DeleteFunc(slices.Clone(steps), func(s step) bool {
			was, ok := one[s.Step]
			return ok && was.outcome() == s.outcome()
		})
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for _, s := range steps {
		if err := enc.Encode(s); err != nil {
			return err
		}
	}
	file := referenceFile(root, client, nodes)
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
func judge(client string, got []step, ref reference, allowed peer.Deviations) []verdict {
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
		case allowed.Has(client + " " + s.Step):
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
		case allowed.Has(client + " " + name):
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
