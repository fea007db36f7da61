package main

import "testing"

// What a reader finds in a partition is judged against what was acknowledged, 1 to 3.
func TestHistory(t *testing.T) {
	for _, c := range []struct {
		numbers                     []uint64
		lost, duplicated, reordered int
	}{
		{[]uint64{1, 2, 3}, 0, 0, 0},
		{[]uint64{1, 2, 3, 4}, 0, 0, 0}, // what was not acknowledged may be there
		{[]uint64{1, 2}, 1, 0, 0},
		{nil, 3, 0, 0},
		{[]uint64{1, 3}, 1, 0, 0},
		{[]uint64{1, 2, 2, 3}, 0, 1, 0},
		{[]uint64{1, 2, 1, 3}, 0, 1, 1},
	} {
		var v verdict
		v.history(c.numbers, 3)
		if v.lost != c.lost || v.duplicated != c.duplicated || v.reordered != c.reordered {
			t.Errorf("%v: %d lost, %d duplicated, %d reordered", c.numbers, v.lost, v.duplicated, v.reordered)
		}
	}
}
