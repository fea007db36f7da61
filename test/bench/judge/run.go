package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The sides of a run: the two that are compared, and two bare servers by their kinds.
const (
	Ours = "ours"
	Peer = "peer"
	Null = "null"
	Bare = "bare"
)

// Run is one timed run, as it is kept in JSON.
type Run struct {
	Series string             `json:"series"` // "1/replayer"
	Side   string             `json:"side"`
	Pair   int                `json:"pair"` // from 0
	At     time.Time          `json:"at"`
	Took   float64            `json:"seconds"`
	Values map[string]float64 `json:"values"`
	// Control are the echo control's figures under the same names, where there is a control.
	Control map[string]float64 `json:"control,omitempty"`

	ServerCPU float64 `json:"server_cpu_seconds"`
	ClientCPU float64 `json:"client_cpu_seconds"`
	Resident  int64   `json:"server_resident_bytes"`
	Foreign   float64 `json:"foreign_share"` // of the machine, from 0 to 1: busy with neither side, nor the client, nor the kernel's threads
	Kernel    float64 `json:"kernel_share"`  // of the machine: the kernel's threads
	Steal     float64 `json:"steal_share"`
	Disturbed string  `json:"disturbed,omitempty"` // why the run does not count
}

// Order says which side goes first in a pair: A B, B A, A B, …
func Order(pair int) [2]string {
	if pair%2 == 0 {
		return [2]string{Ours, Peer}
	}
	return [2]string{Peer, Ours}
}

// Rule says what disturbs a run.
type Rule struct {
	Foreign float64 `json:"foreign"` // share of the machine above which others were at work
	Steal   float64 `json:"steal"`
}

// Why returns why a run does not count, "" where it does.
func (r Rule) Why(run Run) string {
	var why []string
	if run.Foreign > r.Foreign {
		why = append(why, fmt.Sprintf("foreign load %.0f %%", 100*run.Foreign))
	}
	if run.Steal > r.Steal {
		why = append(why, fmt.Sprintf("steal %.1f %%", 100*run.Steal))
	}
	return strings.Join(why, ", ")
}

// Pairing sorts the runs of a series into pairs that count and pairs that were dropped.
type Pairing struct {
	Good    [][2]Run // ours, the peer's
	Dropped int      // pairs of which a run was disturbed
	Both    bool     // there are runs of the peer
	Alone   []Run    // undisturbed runs of ours, with or without a peer
	Floors  map[string][]Run
}

// Pair sorts runs.
func Pair(runs []Run) Pairing {
	p := Pairing{Floors: map[string][]Run{}}
	byPair := map[int]map[string]Run{}
	for _, r := range runs {
		if r.Side != Ours && r.Side != Peer {
			p.Floors[r.Side] = append(p.Floors[r.Side], r)
			continue
		}
		p.Both = p.Both || r.Side == Peer
		if r.Side == Ours && r.Disturbed == "" {
			p.Alone = append(p.Alone, r)
		}
		if byPair[r.Pair] == nil {
			byPair[r.Pair] = map[string]Run{}
		}
		byPair[r.Pair][r.Side] = r
	}
	var order []int
	for n := range byPair {
		order = append(order, n)
	}
	slices.Sort(order)
	for _, n := range order {
		a, haveA := byPair[n][Ours]
		b, haveB := byPair[n][Peer]
		switch {
		case haveA && a.Disturbed != "" || haveB && b.Disturbed != "":
			p.Dropped++
		case haveA && haveB:
			p.Good = append(p.Good, [2]Run{a, b})
		}
	}
	return p
}

// Median of values; the mean of the middle two where they are even. It does not change its argument.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
