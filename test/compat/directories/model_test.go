package main

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

// written is a model with one topic of two partitions, and what a faultless reader sees of it. The first two records of
// partition 0 are deleted, its last two are of an open transaction, the two before of an aborted one.
func written(t *testing.T) (*model, reading, reading) {
	t.Helper()
	m := newModel()
	m.create("t", 2, false)
	all := makeRecords(rand.New(rand.NewPCG(1, 2)), 0, 20, 2)
	if err := m.acknowledged("t", all[:12], []int64{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5}, ""); err != nil {
		t.Fatal(err)
	}
	for name, offsets := range map[string][]int64{"aborted": {6, 6, 7, 7}, "open": {9, 9, 10, 10}} { // 8 is a marker
		from := 12 + map[string]int{"aborted": 0, "open": 4}[name]
		if err := m.acknowledged("t", all[from:from+4], offsets, name); err != nil {
			t.Fatal(err)
		}
	}
	m.decide("aborted", aborted)
	m.deleted("t", 0, 2)
	read := func(end int64, committed bool) reading {
		r := reading{Bounds: map[int32][2]int64{0: {2, end}, 1: {0, end}}}
		for p, l := range m.topics["t"].partitions {
			for offset := range end {
				s := l.records[offset]
				if s == nil || committed && s.fate != settled {
					continue
				}
				r.Records = append(r.Records, seen{int32(p), offset, s.time, 3, s.digest})
			}
		}
		return r
	}
	return m, read(11, false), read(9, true)
}

func TestModelTakesAGoodReading(t *testing.T) {
	m, all, committed := written(t)
	if bad := append(m.check("t", all, false), m.check("t", committed, true)...); len(bad) > 0 {
		t.Error(bad)
	}
}

func TestModelFindsFaults(t *testing.T) {
	faults := map[string]func(m *model, r *reading){
		"is lost":             func(m *model, r *reading) { r.Records = r.Records[1:] },
		"comes after":         func(m *model, r *reading) { r.Records[0], r.Records[1] = r.Records[1], r.Records[0] },
		"nobody wrote":        func(m *model, r *reading) { r.Records[3].offset = 1 << 20 },
		"written was":         func(m *model, r *reading) { r.Records[3].time++ },
		"begins at offset":    func(m *model, r *reading) { r.Bounds[0] = [2]int64{3, 11} },
		"has 1 partitions":    func(m *model, r *reading) { delete(r.Bounds, 1) },
		"was of leader epoch": func(m *model, r *reading) { r.Records[3].epoch = 4 },
		"that is not committed": func(m *model, r *reading) {
			s := m.topics["t"].partitions[1].records[9]
			r.Records = append(r.Records, seen{1, 9, s.time, 3, s.digest})
		},
		"offset 4 holds 0000000000": func(m *model, r *reading) { r.Records[2].digest = "0000000000000000" },
	}
	for want, fault := range faults {
		m, all, committed := written(t)
		m.check("t", all, false) // notes the epochs
		fault(m, &committed)
		if got := strings.Join(m.check("t", committed, true), "\n"); !strings.Contains(got, want) {
			t.Errorf("want %q, got %q", want, got)
		}
	}
}

func TestModelOfACompactedTopic(t *testing.T) {
	m := newModel()
	m.create("c", 1, true)
	records := []record{{Key: []byte("a")}, {Key: []byte("b")}, {Key: []byte("a"), Time: 5}}
	if err := m.acknowledged("c", records, []int64{0, 1, 2}, ""); err != nil {
		t.Fatal(err)
	}
	if err := m.acknowledged("c", records[:1], []int64{2}, ""); err == nil {
		t.Error("one offset was given twice, and nothing said")
	}
	read := func(offsets ...int64) reading {
		r := reading{Bounds: map[int32][2]int64{0: {0, 3}}}
		for _, o := range offsets {
			s := m.topics["c"].partitions[0].records[o]
			r.Records = append(r.Records, seen{0, o, s.time, 0, s.digest})
		}
		return r
	}
	for _, r := range []reading{read(0, 1, 2), read(1, 2)} {
		if bad := m.check("c", r, true); len(bad) > 0 {
			t.Error(bad)
		}
	}
	if bad := m.check("c", read(0, 1), true); len(bad) != 1 || !strings.Contains(bad[0], "offset 2") {
		t.Errorf("the newest record of a key is gone: %q", bad)
	}
}

func TestLookupsByTime(t *testing.T) {
	m, _, _ := written(t)
	found := map[int32][]place{}
	for p, l := range m.topics["t"].partitions {
		for range lookups {
			found[int32(p)] = append(found[int32(p)], place{-1, -1, -1})
		}
		first := int64(2 * (1 - p))
		found[int32(p)][0] = place{first, l.records[first].time, -1}
	}
	bad := m.checkTimes("t", found)
	if len(bad) != 2 || !strings.Contains(bad[0], "t-0: at time 1700000005001 is {-1 -1 -1}, want {3 ") {
		t.Errorf("%q", bad)
	}
}

func TestAnswersOfTheJudge(t *testing.T) {
	var r reading
	if err := json.Unmarshal([]byte(`{"bounds":{"1":[4,9]},"records":[[1,4,17,2,"ab"]]}`), &r); err != nil {
		t.Fatal(err)
	}
	if r.Bounds[1] != [2]int64{4, 9} || r.Records[0] != (seen{1, 4, 17, 2, "ab"}) {
		t.Errorf("%+v", r)
	}
	out := map[string]string{}
	flatten(out, "", map[string]any{"a": map[string]any{"b": 1.0}, "c": []any{"x", nil}})
	bad := compare(out, map[string]string{"/a/b": "2", "/d": ""})
	if strings.Join(bad, "; ") != "/a/b was 1 and is 2; /c was [x <nil>] and is gone; /d is  and was not there" {
		t.Errorf("%q", bad)
	}
}

func TestComplaintsOfTheTools(t *testing.T) {
	out := "Dumping /x/none-0/00000000000000000007.log\n| offset: 7 payload: isvalid: false\nDumping /x/none-0/00000000000000000007.index\n" +
		"Mismatches in :/x/none-0/00000000000000000007.index\nNon-consecutive offsets in /x/none-0/00000000000000000007.log\n" +
		"  -1 is followed by 7\n  8 is followed by 10\nNon-consecutive offsets in /x/compacted-0/00000000000000000000.log\n  1 is followed by 3\n"
	bad := complaints([]byte(out), 3)
	if len(bad) != 3 || !strings.Contains(bad[0], "Mismatches") || !strings.Contains(bad[1], "8 is followed by 10") || !strings.Contains(bad[2], "want 3") {
		t.Errorf("%q", bad)
	}
	ours := "skipped name=/x/what why=\"not a file of a log directory\"\n  record offset=1\n! damage name=/x/y position=0\n"
	if bad := undumped(ours); len(bad) != 2 {
		t.Errorf("%q", bad)
	}
}
