package cli

import (
	"fmt"
	"io"
	"time"
)

// progress tells a person how far a long transfer has come: a line that is redrawn on a terminal, else one each five seconds.
// It has no goroutine: it is as current as the last call of add. One goroutine at a time may use it.
type progress struct {
	w        io.Writer
	now      func() time.Time
	verb     string // "produced", "consumed"
	redraw   bool
	quiet    bool
	began    time.Time
	shown    time.Time
	records  int64
	bytes    int64
	unlooked int // calls since the last look at the clock
}

const (
	redrawEvery = 200 * time.Millisecond
	lineEvery   = 5 * time.Second
	// lookEvery is after how many records the clock is read again.
	lookEvery = 64
)

func (a *app) progress(verb string) *progress {
	now := a.world.Now()
	return &progress{
		w: a.world.Err, now: a.world.Now, verb: verb, quiet: a.quiet, began: now, shown: now,
		// What is drawn over must not run into records that go to the same terminal.
		redraw: a.world.ErrTTY && !a.world.OutTTY,
	}
}

func (p *progress) add(records int, bytes int64) {
	p.records += int64(records)
	p.bytes += bytes
	p.unlooked += records
	if p.quiet || p.unlooked < lookEvery {
		return
	}
	p.unlooked = 0
	every := lineEvery
	if p.redraw {
		every = redrawEvery
	}
	if now := p.now(); now.Sub(p.shown) >= every {
		p.shown = now
		p.show("…")
	}
}

// done writes the summary.
func (p *progress) done(target string) {
	if !p.quiet {
		p.show(target)
		if p.redraw {
			fmt.Fprintln(p.w)
		}
	}
}

func (p *progress) show(tail string) {
	took := p.now().Sub(p.began)
	rate := ""
	if s := took.Seconds(); s > 0.05 && p.records > 1 {
		rate = fmt.Sprintf(", %.0f records/s", float64(p.records)/s)
	}
	line := fmt.Sprintf("%s %s (%s)%s in %s%s", p.verb, count(p.records, "record"), size(p.bytes), tail, took.Round(time.Millisecond), rate)
	if p.redraw {
		fmt.Fprintf(p.w, "\r\x1b[K%s", line)
		return
	}
	fmt.Fprintln(p.w, line)
}

// size writes a number of bytes in the unit that fits it.
func size(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	f, i := float64(n)/unit, 0
	for f >= unit && i < 3 {
		f /= unit
		i++
	}
	return fmt.Sprintf("%.1f %s", f, [...]string{"KiB", "MiB", "GiB", "TiB"}[i])
}
