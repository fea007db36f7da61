package main

import (
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/ottla/ottla/test/bench/side"
)

func TestFlags(t *testing.T) {
	numbers := func(args ...string) []int {
		t.Helper()
		o, err := parse(args)
		if err != nil {
			t.Fatal(err)
		}
		var all []int
		for _, r := range o.rows {
			all = append(all, r.Number)
		}
		return all
	}
	if got := numbers("-rows", "11, 1,produce,fetch"); !slices.Equal(got, []int{1, 8, 11}) {
		t.Errorf("rows %v", got)
	}
	if got := numbers(); len(got) != 24 {
		t.Errorf("without a list: %v", got)
	}
	if got := numbers("-quick"); len(got) == 0 || len(got) == 24 {
		t.Errorf("quick: %v", got)
	}
	if o, err := parse([]string{"-rows", "6/first"}); err != nil || len(o.rows) != 1 || len(o.rows[0].Series) != 1 {
		t.Errorf("one series: %+v, %v", o, err)
	}
	if o, err := parse([]string{"-rows", "16/kill -9 of a b,6/first,16/clean,16/clean"}); err != nil || len(o.rows) != 2 || len(o.rows[1].Series) != 2 {
		t.Errorf("two choices of a row: %+v, %v", o, err)
	}
	for _, args := range [][]string{{"-pairs", "0"}, {"-steal", "-1"}, {"-rows", "25"}, {"-rows", "6/last"}, {"-rows", "one,nothing"}, {"-pairs", "x"}, {"1,5"}, {"-unknown"}} {
		if _, err := parse(args); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}

func TestWhatTheCommandLineLeavesOpen(t *testing.T) {
	o, err := parse([]string{"-seconds", "3", "-bytes", "0.5"})
	if err != nil {
		t.Fatal(err)
	}
	if o.Pairs != all.Pairs || o.Longest != 3*time.Second || o.Latency != o.Longest || o.Bytes != gib/2 || o.Warm != time.Minute || o.Rule != all.Rule {
		t.Errorf("%+v", o.Options)
	}
	o, err = parse([]string{"-quick", "-pairs", "5", "-foreign", "90"})
	if err != nil {
		t.Fatal(err)
	}
	if o.Pairs != 5 || o.Warm != quick.Warm || o.Rule.Foreign != 0.9 || o.Rule.Steal != quick.Rule.Steal {
		t.Errorf("%+v", o.Options)
	}
}

// Load goes to this machine unless it is said otherwise, and a peer that can't be had is said.
func TestPeers(t *testing.T) {
	for _, address := range []string{"192.0.2.1:9092", "example.org:9092", "[2001:db8::1]:9092"} {
		if _, err := side.At(address, 0, false); !errors.Is(err, side.ErrNotLoopback) {
			t.Errorf("%s: %v", address, err)
		}
		if _, err := side.At(address, 0, true); err != nil {
			t.Errorf("%s is refused although it is allowed: %v", address, err)
		}
	}
	for _, address := range []string{"127.0.0.1:9092", "localhost:9092", "[::1]:9092"} {
		if _, err := side.At(address, 0, false); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	running, err := side.At(l.Addr().String(), 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Answers(t.Context()); err != nil {
		t.Error(err)
	}
	l.Close()
	var missing *side.ErrPeer
	if err := running.Answers(t.Context()); !errors.As(err, &missing) {
		t.Errorf("nobody is there: %v", err)
	}
	if _, err := side.Peer(t.Context(), "ottla@no-such-revision"); !errors.As(err, &missing) {
		t.Errorf("a revision that is not there: %v", err)
	}
	for _, name := range []string{"", "ottla@", "redpanda"} {
		if _, err := side.Peer(t.Context(), name); err == nil {
			t.Errorf("the peer %q is taken", name)
		}
	}
	if p, err := side.Peer(t.Context(), "none"); p != nil || err != nil {
		t.Errorf("none is %v, %v", p, err)
	}
}
