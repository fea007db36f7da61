package judge

import (
	"math"

	"github.com/ottla/ottla/test/bench/card"
)

// Met says how a figure stands to a goal.
type Met string

// The answers. Open says that the interval lies on both sides of the goal.
const (
	NoGoal Met = ""
	Yes    Met = "met"
	Open   Met = "open"
	No     Met = "missed"
)

// Verdict is what the runs of a series say of one metric.
type Verdict struct {
	Metric card.Metric

	Ours, Peer             float64 // medians of the runs that count
	HasOurs, HasPeer       bool
	OursClient, PeerClient float64    // the client's share beside it, where the metric is CPU
	Ratio                  [3]float64 // median, lowest and highest of the paired ratios
	Pairs                  int        // behind the ratio; 0 is no ratio
	Dropped                int        // pairs
	Useless                bool       // disturbed beyond use: too few pairs are left for a ratio

	Win        Met // Yes where the whole interval is ahead of the peer, No where it is behind
	Goal, Card Met // of the ratio, or of our own figure where the goal is one

	Floor    float64 // the bare server's; 0 where there is none
	Null     float64 // the null server's
	Bound    bool    // our rate is that of the null server: the client is the limit
	Void     int     // of a tail: pairs whose control is above a third of the peer's, which count for nothing
	Masked   int     // of a tail: pairs whose control is above a third of ours alone: their ratio is one at the most
	OfFloor  float64 // ours as a part of the floor (floor/ours where lower is better)
	HasFloor bool
}

// ClientBound is the part of the null server's rate from which on a rate is the client's.
const ClientBound = 0.8

// controlPart is the part of a tail figure above which the control voids it.
const controlPart = 1.0 / 3

// Judge looks at one metric. Wanted is how many pairs were planned: less than half of them are no ratio.
func Judge(m card.Metric, p Pairing, wanted int) Verdict {
	v := Verdict{Metric: m, Dropped: p.Dropped}
	var ours, peers, ratios, oursClient, peerClient []float64
	for _, pair := range p.Good {
		a, okA := pair[0].Values[m.Name]
		b, okB := pair[1].Values[m.Name]
		if !okA || !okB {
			continue
		}
		ours, peers = append(ours, a), append(peers, b)
		oursClient, peerClient = append(oursClient, pair[0].Values["client "+m.Name]), append(peerClient, pair[1].Values["client "+m.Name])
		switch {
		case m.Tail && void(m, pair[1]):
			v.Void++
			continue
		case m.Tail && void(m, pair[0]):
			v.Masked++
		}
		if b > 0 {
			ratios = append(ratios, a/b)
		}
	}
	if len(ours) == 0 {
		for _, r := range p.Alone {
			if a, ok := r.Values[m.Name]; ok {
				ours, oursClient = append(ours, a), append(oursClient, r.Values["client "+m.Name])
				if m.Tail && void(m, r) {
					v.Masked++
				}
			}
		}
	}
	v.Ours, v.HasOurs = Median(ours), len(ours) > 0
	v.Peer, v.HasPeer = Median(peers), len(peers) > 0
	v.OursClient, v.PeerClient = Median(oursClient), Median(peerClient)
	need := (wanted + 1) / 2
	if len(ours) < need && p.Dropped > 0 || v.HasPeer && len(ratios) < need || !v.HasPeer && p.met() {
		v.Useless = true
	} else if len(ratios) > 0 {
		v.Pairs = len(ratios)
		v.Ratio = interval(ratios)
	}
	v.floors(p)
	v.decide(ours)
	return v
}

// met says whether the two sides have met, if only in pairs that were dropped.
func (p Pairing) met() bool { return p.Dropped > 0 && p.Both }

func interval(all []float64) [3]float64 {
	lowest, highest := math.Inf(1), math.Inf(-1)
	for _, x := range all {
		lowest, highest = min(lowest, x), max(highest, x)
	}
	return [3]float64{Median(all), lowest, highest}
}

func void(m card.Metric, r Run) bool {
	control, ok := r.Control[m.Name]
	return ok && control > r.Values[m.Name]*controlPart
}

// floors compares with the bare servers.
func (v *Verdict) floors(p Pairing) {
	of := func(side string) float64 {
		var calm, all []float64
		for _, r := range p.Floors[side] {
			if x, ok := r.Values[v.Metric.Name]; ok {
				all = append(all, x)
				if r.Disturbed == "" {
					calm = append(calm, x)
				}
			}
		}
		if len(calm) > 0 {
			return Median(calm)
		}
		return Median(all)
	}
	v.Floor, v.Null = of(Bare), of(Null)
	if v.Floor > 0 && v.Ours > 0 {
		v.HasFloor = true
		v.OfFloor = v.Floor / v.Ours
		if v.Metric.Higher {
			v.OfFloor = v.Ours / v.Floor
		}
	}
	v.Bound = v.Metric.Rate && v.Null > 0 && v.Ours >= ClientBound*v.Null
}

// decide compares with the goals.
func (v *Verdict) decide(ours []float64) {
	m := v.Metric
	if v.Pairs > 0 {
		v.Win = v.bounded(against(v.Ratio, 1, m.Higher))
		v.Goal, v.Card = v.bounded(against(v.Ratio, m.Goal, m.Higher)), v.bounded(against(v.Ratio, m.CardGoal, m.Higher))
	}
	if len(ours) > 0 && !(m.Tail && (v.Void+v.Masked)*2 > len(ours)) {
		own := interval(ours)
		v.Goal, v.Card = both(v.Goal, m.Goal, against(own, m.Most, m.Higher)), both(v.Card, m.CardGoal, against(own, m.CardMost, m.Higher))
	}
}

// bounded is what can be said where the machine's own noise is in our figure: without it we would be no worse, but how much better is
// not known.
func (v *Verdict) bounded(met Met) Met {
	if v.Masked > 0 && met == No {
		return Open
	}
	return met
}

// against says on which side of a goal an interval lies.
func against(i [3]float64, goal float64, higher bool) Met {
	switch {
	case goal == 0:
		return NoGoal
	case higher && i[1] >= goal, !higher && i[2] <= goal:
		return Yes
	case higher && i[2] < goal, !higher && i[1] > goal:
		return No
	}
	return Open
}

// both joins how a ratio and our own figure stand. A goal whose ratio nobody knows is not met by the figure alone.
func both(ofRatio Met, ratio float64, own Met) Met {
	if own != NoGoal && ofRatio == NoGoal && ratio != 0 {
		ofRatio = Open
	}
	return worse(ofRatio, own)
}

func worse(a, b Met) Met {
	for _, m := range []Met{No, Open, Yes} {
		if a == m || b == m {
			return m
		}
	}
	return NoGoal
}

// Calibration compares the peer with what it did on the reference machine.
type Calibration struct {
	Metric    card.Metric
	Peer      float64
	Times     float64 // the peer's figure to the nearest of the reference's
	Floor     float64 // how many times what it should be the floor makes of the figure; 0 where no floor says
	Corrected float64 // Times to Floor
	Agrees    bool    // within 20 %, corrected by the floor where there is one
}

// Tolerance is how far the peer may be from the reference.
const Tolerance = 0.2

// Slowness is how many times the bare server's figure on the reference machine it is here; 0 where that is not known.
func Slowness(v Verdict) float64 {
	if v.Metric.Floor == 0 || v.Floor == 0 {
		return 0
	}
	return v.Floor / v.Metric.Floor
}

// Calibrate compares. Where the metric has no floor of its own, slow, the slowness of others in the same run, corrects it; 0
// corrects nothing. It is not ok where there is nothing to compare with.
func Calibrate(v Verdict, slow float64) (c Calibration, ok bool) {
	m := v.Metric
	if !v.HasPeer || m.Kafka[1] == 0 || v.Peer == 0 {
		return c, false
	}
	c = Calibration{Metric: m, Peer: v.Peer, Times: v.Peer / nearest(v.Peer, m.Kafka), Floor: Slowness(v)}
	if c.Floor == 0 && slow > 0 && !m.Size {
		c.Floor = slow
		if m.Higher {
			c.Floor = 1 / slow
		}
	}
	c.Corrected = c.Times
	if c.Floor > 0 {
		should := v.Peer / c.Floor
		c.Corrected = should / nearest(should, m.Kafka)
	}
	c.Agrees = math.Abs(math.Log(c.Corrected)) <= math.Log(1+Tolerance)
	return c, true
}

func nearest(x float64, of [2]float64) float64 { return min(max(x, of[0]), of[1]) }
