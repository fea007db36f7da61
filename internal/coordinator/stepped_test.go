package coordinator

import (
	"testing"
	"time"

	"github.com/ottla/ottla/internal/metadata"
)

// A stepped runtime does nothing beside its steps, and in them what its loops would.
func TestStepped(t *testing.T) {
	bubble(t, alone, func(w *world) {
		w.ask(add{{"a", "1"}}, "1")
		w.r.Stop()
		w.r = NewRuntime(w.r.o)
		w.r.o.Stepped = true
		w.r.Apply(metadata.DeltaFromEmpty(w.image), w.image)
		early := w.submit(list{})
		early.is("COORDINATOR_LOAD_IN_PROGRESS")
		if next := w.r.Step(time.Now()); !next.IsZero() {
			t.Errorf("a core without an alarm wants a step at %v", next)
		}
		listed, waiting := w.submit(list{}), w.submit(await{time.Minute})
		listed.is("")
		next := w.r.Step(time.Now())
		listed.is("0:a=1")
		if wait := time.Until(next); wait != time.Minute {
			t.Errorf("the next step is wanted in %v", wait)
		}
		w.pass(time.Minute)
		waiting.is("")
		w.r.Step(time.Now())
		waiting.is("expired")
		w.lead(2)
		w.submit(list{}).is("NOT_COORDINATOR")
		if w.r.Step(time.Now()); len(w.r.stepped) > 0 {
			t.Error("a loop that has ended is stepped on")
		}
	})
}
