package quorum

// errand is work that the loop has done beside it, one of a kind at a time, and what comes of it. It belongs to the loop, but for the channel, into
// which the work puts its result.
type errand[R any] struct {
	running bool   // until the result is taken
	done    chan R // holds one
	got     *R     // that Run received already
}

func newErrand[R any]() errand[R] { return errand[R]{done: make(chan R, 1)} }

// begin has f done by one who runs what it is given, now or beside. None may be running.
func (w *errand[R]) begin(run func(func()), f func() R) {
	w.running = true
	run(func() { w.done <- f() }) // there is room: one runs at a time
}

// take gives what came of it, once, if anything has.
func (w *errand[R]) take() (result R, ok bool) {
	if w.got != nil {
		result = *w.got
	} else {
		select {
		case result = <-w.done:
		default:
			return result, false
		}
	}
	w.running, w.got = false, nil
	return result, true
}

// wait is take that waits for one that is running.
func (w *errand[R]) wait() (result R, ok bool) {
	if w.running && w.got == nil {
		result = <-w.done
		w.got = &result
	}
	return w.take()
}
