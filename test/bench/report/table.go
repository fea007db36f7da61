package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/ottla/ottla/test/bench/card"
	"github.com/ottla/ottla/test/bench/judge"
)

// Table tells the rows of a result in Markdown: the figures, then how the peer stands to the reference machine.
func (r *Result) Table(rows []card.Row) string {
	var b strings.Builder
	b.WriteString("| row | figure | " + r.Ours.Name + " | " + r.peerName() + " | ratio (lowest..highest, pairs) | goal | scorecard | limit here | remarks |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|\n")
	for _, row := range rows {
		r.row(&b, row)
	}
	return b.String()
}

func (r *Result) peerName() string {
	if r.Peer == nil {
		return "peer"
	}
	return r.Peer.Name
}

func (r *Result) row(b *strings.Builder, row card.Row) {
	if row.Cannot != "" {
		fmt.Fprintf(b, "| **%d** | *%s* | | | | | | | can't run yet: %s |\n", row.Number, row.What, row.Cannot)
		return
	}
	headed := false
	head := func() {
		if !headed {
			fmt.Fprintf(b, "| **%d** | *%s* | | | | | | | |\n", row.Number, row.What)
		}
		headed = true
	}
	for _, s := range row.Series {
		key := row.Key(s)
		if why, failed := r.Failed[key]; failed {
			head()
			fmt.Fprintf(b, "| %d | **%s** | | | | | | | did not run: %s |\n", row.Number, s.Name, oneLine(why))
			continue
		}
		runs := r.of(key)
		if len(runs) == 0 {
			continue
		}
		head()
		pairing := judge.Pair(runs)
		for i, m := range s.Metrics {
			name := m.Name
			if i == 0 {
				name = "**" + s.Name + "**" + r.with(key) + ": " + name
			}
			v := judge.Judge(r.metric(m), pairing, r.Pairs)
			if i == 0 || v.HasOurs || v.Useless {
				fmt.Fprintf(b, "| %d | %s | %s |\n", row.Number, name, strings.Join(cells(v, r.Peer != nil && !s.Alone), " | "))
			}
		}
	}
}

// with says with which version a series was run, if not with the one that the table is about.
func (r *Result) with(key string) string {
	if version, other := r.Others[key]; other {
		return " (" + version + ")"
	}
	return ""
}

// cells are those behind the name.
func cells(v judge.Verdict, paired bool) []string {
	ours, peer, ratio := "", "", ""
	if v.HasOurs {
		ours = beside(v.Ours, v.OursClient)
	}
	if v.HasPeer {
		peer = beside(v.Peer, v.PeerClient)
	}
	if v.Pairs > 0 {
		ratio = fmt.Sprintf("%s (%s..%s, %d)", ratioText(v.Ratio[0]), ratioText(v.Ratio[1]), ratioText(v.Ratio[2]), v.Pairs)
		if v.Win == judge.No {
			ratio = "behind: " + ratio
		}
	}
	m := v.Metric
	return []string{ours, peer, ratio, goal(v.Goal, m.Goal, m.Most, m.Higher), goal(v.Card, m.CardGoal, m.CardMost, m.Higher), limit(v), remarks(v, paired)}
}

// beside is a figure and the client's.
func beside(x, client float64) string {
	if client == 0 {
		return number(x)
	}
	return fmt.Sprintf("%s (client %s)", number(x), number(client))
}

// goal is the goal and how it stands.
func goal(met judge.Met, ratio, own float64, higher bool) string {
	sign := "≤"
	if higher {
		sign = "≥"
	}
	var parts []string
	if ratio != 0 {
		parts = append(parts, sign+" "+number(ratio)+"x")
	}
	if own != 0 {
		parts = append(parts, sign+" "+number(own))
	}
	if len(parts) == 0 {
		return ""
	}
	text := strings.Join(parts, ", ")
	if met != judge.NoGoal {
		text += ": " + string(met)
	}
	return text
}

func limit(v judge.Verdict) string {
	if !v.HasFloor {
		return ""
	}
	return fmt.Sprintf("%s (%.0f %% of it)", number(v.Floor), 100*v.OfFloor)
}

func remarks(v judge.Verdict, paired bool) string {
	var all []string
	if v.Useless {
		why := "no ratio"
		if v.Dropped > 0 {
			why += ": disturbed beyond use"
		}
		all = append(all, why)
	}
	if v.Dropped > 0 {
		all = append(all, fmt.Sprintf("%d disturbed pairs dropped", v.Dropped))
	}
	if v.Void > 0 {
		all = append(all, fmt.Sprintf("%d void: the echo control is above a third", v.Void))
	}
	if v.Masked > 0 && v.HasPeer {
		all = append(all, fmt.Sprintf("at the most: in %d pairs the echo control is above a third of ours", v.Masked))
	} else if v.Masked > 0 {
		all = append(all, fmt.Sprintf("the echo control is above a third in %d runs", v.Masked))
	}
	if v.Bound {
		all = append(all, fmt.Sprintf("bound by the client (null server: %s)", number(v.Null)))
	}
	if paired && v.HasOurs && !v.HasPeer && !v.Useless {
		all = append(all, "the peer has no such figure")
	}
	return strings.Join(all, "; ")
}

// Calibration tells how the peer stands to what it did on the reference machine, and what of that the floor explains. Where
// a series has no bare server, the slowness of all others of the result stands for it.
func (r *Result) Calibration(rows []card.Row) string {
	if !r.kafka() {
		return ""
	}
	var b strings.Builder
	var known []float64
	r.each(rows, func(_ card.Row, _ card.Series, verdicts []judge.Verdict) {
		if slow := slowness(verdicts); slow > 0 {
			known = append(known, slow)
		}
	})
	overall := judge.Median(known)
	r.each(rows, func(row card.Row, s card.Series, verdicts []judge.Verdict) {
		slow := slowness(verdicts)
		for _, v := range verdicts {
			from := ""
			use := slow
			if judge.Slowness(v) == 0 && slow == 0 {
				use, from = overall, " by other rows"
			} else if judge.Slowness(v) == 0 {
				from = " by CPU"
			}
			if c, ok := judge.Calibrate(v, use); ok {
				fmt.Fprintf(&b, "| %d %s | %s | %s | %s | %s | %s | %s |\n", row.Number, s.Name, v.Metric.Name, number(c.Peer), span(v.Metric.Kafka), times(c.Times), floorText(c, v, from), agreement(c))
			}
		}
	})
	if b.Len() == 0 {
		return ""
	}
	return "| row | figure | " + r.peerName() + " here | on the reference machine | here/there | the floor makes that | within 20 % |\n|---|---|---|---|---|---|---|\n" + b.String()
}

// each judges the series that have runs of their own.
func (r *Result) each(rows []card.Row, f func(card.Row, card.Series, []judge.Verdict)) {
	for _, row := range rows {
		for _, s := range row.Series {
			if s.Same != "" {
				continue
			}
			pairing := judge.Pair(r.of(row.Key(s)))
			var all []judge.Verdict
			for _, m := range s.Metrics {
				all = append(all, judge.Judge(r.metric(m), pairing, r.Pairs))
			}
			f(row, s, all)
		}
	}
}

// slowness is that of the first metric with a floor, which is CPU.
func slowness(verdicts []judge.Verdict) float64 {
	for _, v := range verdicts {
		if s := judge.Slowness(v); s > 0 && !v.Metric.Tail {
			return s
		}
	}
	return 0
}

func floorText(c judge.Calibration, v judge.Verdict, from string) string {
	switch {
	case c.Floor == 0:
		return ""
	case judge.Slowness(v) > 0:
		return fmt.Sprintf("bare server %s/%s = %s", number(v.Floor), number(v.Metric.Floor), times(c.Floor))
	}
	return times(c.Floor) + from
}

func agreement(c judge.Calibration) string {
	text := "no"
	if c.Agrees {
		text = "yes"
	}
	if c.Floor != 0 {
		text += ", " + times(c.Corrected) + " what the floor explains"
	}
	return text
}

func span(of [2]float64) string {
	if of[0] == of[1] {
		return number(of[0])
	}
	return number(of[0]) + " to " + number(of[1])
}

func times(x float64) string { return ratioText(x) + "x" }

func ratioText(x float64) string {
	if x < 0.1 {
		return fmt.Sprintf("%.3f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// number writes three digits that count.
func number(x float64) string {
	if x == 0 {
		return "0"
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(x))))
	if digits < 0 {
		unit := math.Pow10(-digits)
		x, digits = math.Round(x/unit)*unit, 0
	}
	text := fmt.Sprintf("%.*f", digits, x)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if digits == 0 {
		text = thousands(text)
	}
	return text
}

func thousands(digits string) string {
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

func oneLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.ReplaceAll(line, "|", "/")
}
