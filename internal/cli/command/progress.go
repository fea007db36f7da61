package command

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// Line tells a person again and again how far something has come: redrawn in place, or a line each five seconds. One goroutine at a time may
// use it.
type Line struct {
	w      io.Writer
	Now    func() time.Time
	redraw bool
	drawn  *atomic.Bool
	quiet  bool
	Began  time.Time
	shown  time.Time
}

// Line begins one. It is redrawn in place where that may be, and standard error is a terminal.
func (a *App) Line(inPlace bool) Line {
	now := a.World.Now()
	return Line{w: a.World.Err, Now: a.World.Now, quiet: a.Quiet, Began: now, shown: now, redraw: inPlace && a.World.ErrTTY, drawn: &a.drawn}
}

// Due reports whether it is time to show how far it has come. Who is told so shows it.
func (l *Line) Due() bool {
	every := lineEvery
	if l.redraw {
		every = redrawEvery
	}
	now := l.Now()
	if l.quiet || now.Sub(l.shown) < every {
		return false
	}
	l.shown = now
	return true
}

// Show writes what is under way.
func (l *Line) Show(text string) {
	if l.redraw {
		l.drawn.Store(true)
		fmt.Fprint(l.w, overLine, text)
		return
	}
	fmt.Fprintln(l.w, text)
}

// End writes the summary.
func (l *Line) End(text string) {
	if l.quiet {
		return
	}
	l.Show(text)
	if l.redraw {
		l.drawn.Store(false)
		fmt.Fprintln(l.w)
	}
}

// Progress tells a person how far a long transfer of records has come. It has no goroutine: it is as current as the last call of add.
type Progress struct {
	Line
	verb     string // "produced", "consumed"
	Records  int64
	Bytes    int64
	total    int64 // records that are expected; 0: not known
	unlooked int   // calls since the last look at the clock
}

const (
	redrawEvery = 200 * time.Millisecond
	lineEvery   = 5 * time.Second
	// lookEvery is after how many records the clock is read again.
	lookEvery = 64
	// underWay follows what is not at its end.
	underWay = "…"
	// overLine has what follows written over the line of a terminal.
	overLine = "\r\x1b[K"
)

// Progress begins to count records; verb says what is done to them, such as "consumed".
func (a *App) Progress(verb string) *Progress {
	// What is drawn over must not run into records that go to the same terminal.
	return &Progress{Line: a.Line(!a.World.OutTTY), verb: verb}
}

// Of says how many records are expected: the first of these figures bounded by the others, where 0 and less stand for no bound.
// It is not shown of what has no such figure.
func (p *Progress) Of(figures ...int64) {
	for _, n := range figures {
		if n > 0 && (p.total == 0 || n < p.total) {
			p.total = n
		}
	}
}

// Add counts records and their bytes, and shows the count now and then.
func (p *Progress) Add(records int, bytes int64) {
	p.Records += int64(records)
	p.Bytes += bytes
	p.unlooked += records
	if p.quiet || p.unlooked < lookEvery {
		return
	}
	p.unlooked = 0
	if p.Due() {
		p.Show(p.text(underWay))
	}
}

// Follow shows the progress of work that many do at once, from what sofar says of all records and bytes until now, as often as a person
// wants to see it, until ctx ends. After that the function that it returns writes the summary.
func (a *App) Follow(ctx context.Context, verb string, sofar func() (records, bytes int64)) func(target string) {
	p := a.Progress(verb)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(redrawEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				records, bytes := sofar()
				p.unlooked = lookEvery
				p.Add(int(records-p.Records), bytes-p.Bytes)
			}
		}
	}()
	return func(target string) {
		<-ended
		p.Records, p.Bytes = sofar()
		p.Done(target)
	}
}

// Done writes the summary.
func (p *Progress) Done(target string) { p.End(p.text(target)) }

// text is the line; what is under way ends in "…" and tells how much is left.
func (p *Progress) text(tail string) string {
	took := p.Now().Sub(p.Began)
	rate := ""
	if s := took.Seconds(); s > 0.05 && p.Records > 1 {
		rate = fmt.Sprintf(", %.0f records/s, %s/s", float64(p.Records)/s, Size(int64(float64(p.Bytes)/s)))
	}
	counted := Count(p.Records, "record")
	if left := p.total - p.Records; tail == underWay && left > 0 && p.Records > 0 {
		counted = fmt.Sprintf("%d of %s, %d %%", p.Records, Count(p.total, "record"), p.Records*100/p.total)
		rate += fmt.Sprintf(", %s left", time.Duration(float64(took)*float64(left)/float64(p.Records)).Round(time.Second))
	}
	return fmt.Sprintf("%s %s (%s)%s in %s%s", p.verb, counted, Size(p.Bytes), tail, took.Round(time.Millisecond), rate)
}
