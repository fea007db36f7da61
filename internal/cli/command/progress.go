package command

import (
	"context"
	"fmt"
	"time"
)

// Line tells a person again and again how far something has come: redrawn in place where standard error is a terminal, else a line each
// five seconds. One goroutine at a time may use it.
type Line struct {
	app   *App
	muted bool
	began time.Time
	shown time.Time
}

// Line begins one.
func (a *App) Line() Line {
	now := a.World.Now()
	return Line{app: a, began: now, shown: now}
}

// Mute has nothing shown before the summary: what goes to the terminal meanwhile says enough, or would be in the way.
func (l *Line) Mute() { l.muted = true }

// Due reports whether it is time to show how far it has come. Who is told so shows it.
func (l *Line) Due() bool {
	every := lineEvery
	if l.app.World.ErrTTY {
		every = redrawEvery
	}
	now := l.app.World.Now()
	if l.muted || l.app.Quiet || now.Sub(l.shown) < every {
		return false
	}
	l.shown = now
	return true
}

// Show writes what is under way.
func (l *Line) Show(text string) {
	if l.app.World.ErrTTY {
		l.app.screen.draw(l.app.World.Err, text, l.app.World.Width)
		return
	}
	fmt.Fprintln(l.app.World.Err, text)
}

// Took is the time since the beginning.
func (l *Line) Took() time.Duration { return l.app.World.Now().Sub(l.began) }

// End writes the summary, where there is one.
func (l *Line) End(text string) {
	if l.app.Quiet {
		return
	}
	end := ""
	if text != "" {
		end = "\n"
	}
	fmt.Fprint(l.app.Tell(), text+end)
}

// Progress tells a person how far a long transfer of records has come. It has no goroutine: it is as current as the last call of Add.
type Progress struct {
	Line
	verb     string // "produced", "consumed"
	Records  int64
	Bytes    int64
	total    int64 // records that are expected; 0: not known
	unlooked int   // records since the last look at the clock
	stride   int   // after how many it is looked at again: ever more, while it is not yet time
	told     int64 // records when it was shown
}

const (
	redrawEvery = 200 * time.Millisecond
	lineEvery   = 5 * time.Second
	// lookEvery is after how many records the clock is read again, at the most.
	lookEvery = 64
	// underWay follows what is not at its end.
	underWay = "…"
)

// Progress begins to count records; verb says what is done to them, such as "consumed".
func (a *App) Progress(verb string) *Progress {
	return &Progress{Line: a.Line(), verb: verb, stride: 1}
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
	if p.unlooked += records; p.unlooked >= p.stride {
		p.Look()
	}
}

// Look shows the count if it is time to. Who waits for records looks now and then.
func (p *Progress) Look() {
	p.unlooked = 0
	p.stride = min(2*p.stride, lookEvery)
	if !p.app.World.ErrTTY && p.Records == p.told { // a log needs no line that says the same
		return
	}
	if p.Due() {
		p.stride, p.told = 1, p.Records
		p.Show(p.text(underWay))
	}
}

// Follow shows the progress of work that many do at once, from what sofar says of all records and bytes until now, as often as a person
// wants to see it, and whether their server answers, until ctx ends. After that the function that it returns writes the summary.
func (a *App) Follow(ctx context.Context, s *Server, verb string, sofar func() (records, bytes int64)) func(target string) {
	p, vigil := a.Progress(verb), a.Vigil(s)
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
				p.Records, p.Bytes = sofar()
				p.Look()
				vigil.Look()
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
	took := p.Took()
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
