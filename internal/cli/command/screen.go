package command

import (
	"io"
	"sync"
)

// screen is the terminal that progress is drawn on: what comes after a drawn line replaces it, and none is drawn behind a line of output
// that has no end yet. Its lock is a leaf.
type screen struct {
	mu    sync.Mutex
	drawn bool
	open  bool // standard output has begun a line there
}

// overLine has what follows written over the line of a terminal.
const overLine = "\r\x1b[K"

// draw writes text over what was drawn before, cut off at the last of so many columns; 0 stands for a width that is not known.
func (s *screen) draw(to io.Writer, text string, columns int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open {
		return
	}
	if runes := []rune(text); columns > 0 && len(runes) >= columns {
		text = string(runes[:columns-1]) // a line that is wrapped can't be drawn over
	}
	s.drawn = true
	_, _ = io.WriteString(to, overLine+text) // there is nowhere left to say that this failed
}

// over writes in place of what is drawn.
type over struct {
	*screen
	to     io.Writer
	output bool // it is standard output
}

// Write implements io.Writer.
func (o over) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.drawn {
		o.drawn = false
		_, _ = io.WriteString(o.to, overLine) // an error comes up in the next line
	}
	if o.output && len(b) > 0 {
		o.open = b[len(b)-1] != '\n'
	}
	return o.to.Write(b)
}

// Tell is standard error, for all but progress: it takes the place of what is drawn there.
func (a *App) Tell() io.Writer { return over{screen: &a.screen, to: a.World.Err} }
