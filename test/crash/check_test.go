package main

import (
	"slices"
	"testing"
)

// A small log of two producers, of which the first is idempotent: what each planted fault must be called.
func TestChecksFindPlantedFaults(t *testing.T) {
	a := func(seq uint32) id { return id{producer: 1, partition: 0, seq: seq} }
	b := func(seq uint32) id { return id{producer: 2, partition: 0, seq: seq} }
	good := []id{a(0), b(0), a(1), b(1), a(2)}

	// A history in which every record of good was acknowledged where it lies.
	acknowledged := func() *history {
		h := newHistory()
		h.idempotent[1] = true
		for i, r := range good {
			h.invoked[r] = true
			h.ack(r, position{0, int64(i)})
		}
		return h
	}
	log := func(ids ...id) []read {
		var out []read
		for i, r := range ids {
			out = append(out, read{int64(i), r.encode(40)})
		}
		return out
	}
	judge := func(h *history, start, end int64, records []read) []string {
		h.partitionRead(0, start, end, records)
		var names []string
		for _, v := range h.violations {
			names = append(names, v.check)
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	check := func(name string, got []string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: found %v, want %v", name, got, want)
			}
		}
		if len(want) == 0 && len(got) > 0 {
			t.Errorf("%s: found %v in a good log", name, got)
		}
	}

	check("good", judge(acknowledged(), 0, 5, log(good...)))
	check("lost at the end", judge(acknowledged(), 0, 4, log(good[:4]...)), "C1 lost")
	check("trimmed at the start", judge(acknowledged(), 2, 5, []read{{2, a(1).encode(1)}, {3, b(1).encode(1)}, {4, a(2).encode(1)}}))
	check("replaced", judge(acknowledged(), 0, 5, log(a(0), b(0), b(1), a(1), a(2))), "C4 inconsistent")
	check("gap", judge(acknowledged(), 0, 5, append(log(good[:3]...), read{4, a(2).encode(1)})), "C8 gap", "C1 lost")
	check("end beyond the records", judge(acknowledged(), 0, 6, log(good...)), "C8 gap")

	phantom := log(good...)
	phantom = append(phantom, read{5, id{producer: 9}.encode(3)})
	check("never sent", judge(acknowledged(), 0, 6, phantom), "C2 phantom")
	corrupt := log(good...)
	corrupt[3].value[headerSize+5] ^= 1
	check("padding changed", judge(acknowledged(), 0, 5, corrupt), "C2 phantom")

	check("idempotent duplicate", judge(acknowledged(), 0, 6, log(append(slices.Clone(good), a(2))...)), "C5 duplicate")
	h := acknowledged()
	check("other duplicate", judge(h, 0, 6, log(append(slices.Clone(good), b(1))...)))
	if h.duplicates[0] != 1 {
		t.Errorf("counted %v duplicates, want 1", h.duplicates)
	}

	h = acknowledged()
	h.invoked[a(4)], h.invoked[a(3)] = true, true
	check("order", judge(h, 0, 7, log(append(slices.Clone(good), a(4), a(3))...)), "C6 order")

	h = acknowledged()
	h.bounds[0] = [2]int64{0, 9}
	check("end moved back", judge(h, 0, 5, log(good...)), "C10 bounds")

	h = acknowledged()
	h.invoked[b(2)] = true
	h.observe(b(2), position{0, 5})
	check("seen and gone", judge(h, 0, 5, log(good...)), "C1 lost")

	h = acknowledged()
	h.invoked[a(3)] = true
	h.ack(a(3), position{0, 2})
	check("acknowledged where another is", judge(h, 0, 5, log(good...)), "C4 inconsistent", "C1 lost")
}

func TestRecordsRoundTrip(t *testing.T) {
	for size := range 100 {
		want := id{producer: 7, partition: 3, seq: uint32(size) * 1000}
		b := want.encode(size)
		if got, ok := decode(b); !ok || got != want {
			t.Fatalf("size %d: got %v, %v", size, got, ok)
		}
		for i := range b {
			b[i] ^= 0x10
			if got, ok := decode(b); ok {
				t.Fatalf("size %d: byte %d changed and still read as %v", size, i, got)
			}
			b[i] ^= 0x10
		}
		if _, ok := decode(b[:len(b)-1]); ok {
			t.Fatalf("size %d: read although cut", size)
		}
	}
}
