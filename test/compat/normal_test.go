package main

import "testing"

// Two runs on several nodes are the same but for what was drawn; what a node less changes counts as the same only while nodes are
// killed, and nothing is freed on one node.
func TestNormal(t *testing.T) {
	f := func(o options, a, b string, same bool) {
		t.Helper()
		x, y := normal([]step{{Result: []byte(a)}}, o)[0], normal([]step{{Result: []byte(b)}}, o)[0]
		if (x.outcome() == y.outcome()) != same {
			t.Errorf("%+v: %s and %s: the same is %v", o, x.outcome(), y.outcome(), !same)
		}
	}
	three, hurt := options{nodes: 3}, options{nodes: 3, hurt: true}
	f(three, `{"leader":1,"isr":3}`, `{"leader":3,"isr":3}`, true)
	f(three, `"Leader: 1\tReplicas: 1,2,3\tIsr: 1,3"`, `"Leader: 3\tReplicas: 3,1,2\tIsr: 3,1"`, true)
	f(three, `"Leader: 1\tReplicas: 1,2,3\tIsr: 1,3"`, `"Leader: 3\tReplicas: 3,1,2\tIsr: 3,2"`, false)
	f(three, `["g ADDRESS (1) Empty"]`, `["g ADDRESS (2) Empty"]`, true)
	f(three, `{"leader":1,"isr":3}`, `{"leader":1,"isr":2}`, false)
	f(hurt, `{"leader":1,"isr":3}`, `{"leader":2,"isr":2}`, true)
	f(hurt, `{"leader":1,"isr":3}`, `{"leader":2,"isr":1}`, false)
	f(three, `{"leader": 1}`, `{"leader":2}`, true)
	f(hurt, `{"brokers":3}`, `{"brokers":2}`, true)
	f(options{nodes: 1}, `{"leader":1}`, `{"leader":3}`, false)
}

// Records that were acknowledged by the leader alone may be lost with it, and nothing else is excused.
func TestExcuse(t *testing.T) {
	vs := []verdict{{step: "consume/acks1", state: failed}, {step: "same/acks0", state: failed}, {step: "consume/main", state: failed}, {step: "produce/acks1"}}
	excuse(vs)
	for i, want := range []state{skipped, skipped, failed, passed} {
		if vs[i].state != want {
			t.Errorf("%s: %v, want %v", vs[i].step, vs[i].state, want)
		}
	}
}
