package groups

import "testing"

func TestSaturate(t *testing.T) {
	const most = 1<<63 - 1
	for _, c := range []struct{ a, b, want int64 }{{1, 2, 3}, {5, -7, -2}, {most, 1, most}, {1, most, most}, {0, 0, 0}, {5, -most - 1, 5 - most - 1}} {
		if got := saturate(c.a, c.b); got != c.want {
			t.Errorf("saturate(%d, %d) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
