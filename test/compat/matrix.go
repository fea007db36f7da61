package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/test/compat/clients"
)

// digest is what a step says about a topic's records: clients/golang/contract has the rules.
type digest struct {
	Count int    `json:"count"`
	Hash  string `json:"hash"`
	Loose string `json:"loose"`
	Times string `json:"times"`
}

// written gives the digest of each topic that a client has written: suffix → what it meant to write.
func written(steps []step) map[string]digest {
	out := map[string]digest{}
	for _, s := range steps {
		suffix, ok := strings.CutPrefix(s.Step, "produce/")
		if !ok || s.Error != "" || s.Skip != "" {
			continue
		}
		var d digest
		if err := json.Unmarshal(s.Result, &d); err == nil && d.Hash != "" {
			out[suffix] = d
		}
	}
	return out
}

// agree says whether a reader saw what a writer meant. Empty times are those of a writer that can't set them.
func agree(wrote, read digest, loose bool) bool {
	if wrote.Count != read.Count || (wrote.Times != "" && read.Times != "" && wrote.Times != read.Times) {
		return false
	}
	return wrote.Hash == read.Hash || (loose && wrote.Loose == read.Loose)
}

// consistent checks within one run, whatever the reference says: a client reads what it wrote.
func consistent(c clients.Client, steps []step) []verdict {
	var out []verdict
	wrote := written(steps)
	for _, s := range steps {
		suffix, ok := strings.CutPrefix(s.Step, "consume/")
		want, known := wrote[suffix]
		if !ok || !known || s.Error != "" || s.Skip != "" {
			continue
		}
		var got digest
		v := verdict{client: c.Name, step: "same/" + suffix}
		if err := json.Unmarshal(s.Result, &got); err != nil || !agree(want, got, c.Loose) {
			v.state, v.detail = failed, fmt.Sprintf("wrote %+v, read %+v", want, got)
		}
		out = append(out, v)
	}
	return out
}

// matrixTopics gives the topics of the codecs that were written, by name.
func (s *suite) matrixTopics() (map[string]digest, []string) {
	all := map[string]digest{}
	for name, steps := range s.steps {
		for suffix, d := range written(steps) {
			if slices.Contains([]string{"none", "gzip", "snappy", "lz4", "zstd", "recompressed"}, suffix) {
				all[name+"."+suffix] = d
			}
		}
	}
	var names []string
	for t := range all {
		names = append(names, t)
	}
	slices.Sort(names)
	return all, names
}

// runMatrix lets every client that can read outside a group read every topic.
func (s *suite) runMatrix(ctx context.Context) error {
	wrote, topics := s.matrixTopics()
	dir := filepath.Join(s.dir, "clients")
	if err := os.WriteFile(filepath.Join(dir, "read.txt"), []byte(strings.Join(topics, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	return s.eachClient(func(c clients.Client) error {
		began := time.Now()
		var vs []verdict
		if c.Group {
			vs = append(vs, verdict{client: c.Name, step: "read/*", state: skipped, detail: "its consumer needs a group"})
		} else {
			steps, err := s.runClient(ctx, c, "read")
			vs = s.judgeReads(c, steps, wrote)
			if err != nil {
				vs = append(vs, verdict{client: c.Name, step: "read", state: failed,
					detail: err.Error() + "\n" + lastLines(filepath.Join(dir, c.Name+".read.err"), 5)})
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.verdicts = append(s.verdicts, vs...)
		fmt.Printf("%-18s read %d topics in %s\n", c.Name, len(vs), time.Since(began).Round(100*time.Millisecond))
		return nil
	})
}

func (s *suite) judgeReads(c clients.Client, steps []step, wrote map[string]digest) []verdict {
	var vs []verdict
	seen := map[string]bool{}
	for _, st := range steps {
		topic := strings.TrimPrefix(st.Step, "read/")
		seen[topic] = true
		v := verdict{client: c.Name, step: st.Step}
		var got digest
		switch {
		case st.Skip != "":
			v.state, v.detail = skipped, st.Skip
		case st.Error == "" && json.Unmarshal(st.Result, &got) == nil && agree(wrote[topic], got, c.Loose):
		case s.allowed.Has(c.Name + " " + st.Step):
			v.state, v.detail = deviates, st.outcome()
		default:
			v.state, v.detail = failed, fmt.Sprintf("wrote %+v, read %s", wrote[topic], st.describe())
		}
		vs = append(vs, v)
	}
	for topic := range wrote {
		if !seen[topic] {
			vs = append(vs, verdict{client: c.Name, step: "read/" + topic, state: failed, detail: "not read"})
		}
	}
	return vs
}
