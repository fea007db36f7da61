package sim

import (
	"time"
	"unsafe"
)

// clock is what a node takes the time for: like those of a machine, one that people read and one that only goes on, in one value. Differences are of the
// latter, what is written and sent is of the former.
func (n *node) clock() time.Time {
	up := n.w.now + time.Duration(float64(n.w.now)*n.drift) + n.leapt
	return stamp(begin.Add(n.skew+up+n.stepped), up)
}

// until is how long it takes till the node's clock shows a time.
func (n *node) until(t time.Time) time.Duration {
	return max(time.Duration(float64(t.Sub(n.clock()))/(1+n.drift))+time.Microsecond, time.Microsecond)
}

// stamp is a time with a monotonic reading, which only the machine's own clock gives; TestStamp looks whether this one is taken for such.
func stamp(wall time.Time, up time.Duration) time.Time {
	const hasMonotonic = 1 << 63
	since := wall.Sub(time.Date(1885, time.January, 1, 0, 0, 0, 0, time.UTC))
	x := struct {
		wall     uint64
		ext      int64
		location *time.Location
	}{hasMonotonic | uint64(since/time.Second)<<30 | uint64(since%time.Second), int64(time.Hour + up), nil} // it is positive
	return *(*time.Time)(unsafe.Pointer(&x)) // the layout is that of package time
}

// leap has a node's clocks go forward at once: as after a suspend, all of them, or as somebody sets it, what people read alone.
func (w *World) leap(all bool) {
	n := w.victim()
	if n == nil {
		return
	}
	by, size := w.between(time.Second, 20*time.Second), "seconds"
	if w.chance(0.4) {
		by, size = w.between(time.Hour, 12*time.Hour), "hours"
	}
	if n.leapt+n.stepped+by > mostLeapt {
		return
	}
	if all {
		w.sometimes("clocks leapt by " + size)
		w.tell("node %d: its clocks leap by %v", n.id, by)
		n.leapt += by
	} else {
		w.sometimes("clock set forward by " + size)
		w.tell("node %d: its clock is set forward by %v", n.id, by)
		n.stepped += by
	}
	n.wake = 0 // its timers are of another time
	n.poke()
}

// mostLeapt is how far the clocks of a node may come in a run: less, with what clocks differ by anyway, than a producer is known that says
// nothing (producer.id.expiration.ms), and than records and offsets are kept.
const mostLeapt = 20 * time.Hour
