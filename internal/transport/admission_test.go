package transport

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func noLimits() Limits { return Limits{Total: Unlimited, Rate: Unlimited, PerIP: Unlimited} }

// served reports whether a new connection is, within a moment.
func served(t *testing.T, l *Listener) bool {
	t.Helper()
	nc := dial(t, l)
	nc.Write(frame([]byte("x")))
	if err := nc.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, err := nc.Read(make([]byte, 1))
	return err == nil
}

func TestConnectionsOfOneAddress(t *testing.T) {
	opts := testOptions()
	limits := noLimits()
	limits.PerIP = 2
	opts.Admission.SetLimits(limits)
	l := serve(t, opts, echo)
	for i, want := range []bool{true, true, false} {
		if served(t, l) != want {
			t.Errorf("connection %d of two that may be: served is %v", i+1, !want)
		}
	}
	limits.ByIP = map[string]int{"127.0.0.1": 3}
	opts.Admission.SetLimits(limits)
	if !served(t, l) || served(t, l) {
		t.Error("the address's own limit is not three")
	}
}

// TestConnectionsWaitForRoom dials one too many: it is served when another one ends.
func TestConnectionsWaitForRoom(t *testing.T) {
	opts := testOptions()
	limits := noLimits()
	limits.Total = 1
	opts.Admission.SetLimits(limits)
	l := serve(t, opts, echo)
	first := dial(t, l)
	first.Write(frame([]byte("x")))
	readFrame(t, first)
	second := dial(t, l)
	second.Write(frame([]byte("y")))
	first.Close()
	readFrame(t, second)
	third := dial(t, l)
	third.Write(frame([]byte("z")))
	limits.Total = 2
	opts.Admission.SetLimits(limits)
	readFrame(t, third)
	// Fewer than there are: one goes, and the other one is served.
	limits.Total = 1
	opts.Admission.SetLimits(limits)
	ended := make(chan net.Conn, 2)
	for _, nc := range []net.Conn{second, third} {
		go func() {
			if _, err := nc.Read(make([]byte, 1)); err != nil {
				ended <- nc
			}
		}()
	}
	left := third
	select {
	case nc := <-ended:
		if nc == third {
			left = second
		}
	case <-time.After(patience):
		t.Fatal("none of two is closed")
	}
	left.Write(frame([]byte("z")))
	select {
	case <-ended:
		t.Error("the other one is closed as well")
	case <-time.After(2 * sweepEvery):
	}
}

// TestAdmission takes the limits one by one, on a clock of its own.
func TestAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := noLimits()
		limits.Rate, limits.Protected = 2, "INTERNAL"
		a := NewAdmission(time.Now, limits, "EXTERNAL", "INTERNAL")
		stop := make(chan struct{})
		enter := func(listener string, want time.Duration) {
			t.Helper()
			began := time.Now()
			if err := a.enter(listener, "10.0.0.1", stop); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took < want || took > want+10*time.Millisecond {
				t.Errorf("%s waits %v, want %v", listener, took, want)
			}
		}
		enter("EXTERNAL", 0)
		enter("EXTERNAL", 0)
		enter("EXTERNAL", 500*time.Millisecond)
		enter("INTERNAL", 0) // brokers don't wait, but count
		enter("EXTERNAL", time.Second)
		limits.Rate, limits.Total = Unlimited, 6
		a.SetLimits(limits)
		enter("EXTERNAL", 0)
		time.AfterFunc(time.Minute, func() { a.leave("EXTERNAL", "10.0.0.1") })
		enter("EXTERNAL", time.Minute)
		enter("INTERNAL", 0)
		if a.excess("EXTERNAL") != 1 || a.excess("INTERNAL") != 0 {
			t.Errorf("%d and %d are too many", a.excess("EXTERNAL"), a.excess("INTERNAL"))
		}
		limits.Total, limits.Listener = Unlimited, map[string]ListenerLimits{"INTERNAL": {Total: 3, Rate: 1}}
		a.SetLimits(limits)
		enter("INTERNAL", 0)
		time.AfterFunc(time.Minute, func() { a.leave("INTERNAL", "10.0.0.1") })
		enter("INTERNAL", time.Minute)
		limits.Listener, limits.Rate = nil, 0
		a.SetLimits(limits)
		time.AfterFunc(3*time.Hour, func() { close(stop) })
		if err := a.enter("EXTERNAL", "10.0.0.1", stop); !errors.Is(err, errDraining) {
			t.Error(err)
		}
	})
}
