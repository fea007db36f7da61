package kafka

import "testing"

// The field's bytes are those of docs/protocol/lag.md: the sizes are fixed, cut ones are refused, later ones may be longer.
func TestLagField(t *testing.T) {
	q := LagQuestion{Topic: TopicID{1, 15: 2}, Committed: 1 << 40}
	b := q.Append(nil)
	if got, ok := ParseLagQuestion(append(b, 7, 7)); !ok || got != q || len(b) != 25 {
		t.Errorf("%d bytes, read as %+v, %v", len(b), got, ok)
	}
	lag := Lag{Standing: LagBeyondEnd, Exact: true, Start: 5, Records: 6, First: NoOffset, Timestamp: NoTimestamp, Age: 1 << 50}
	a := lag.Append(nil)
	if got, ok := ParseLag(append(a, 7, 7)); !ok || got != lag || len(a) != 43 {
		t.Errorf("%d bytes, read as %+v, %v", len(a), got, ok)
	}
	for n := range len(a) - 1 {
		if _, ok := ParseLag(a[:n]); ok {
			t.Errorf("%d bytes of an answer pass", n)
		}
		if _, ok := ParseLagQuestion(b[:min(n, len(b)-2)]); ok {
			t.Errorf("%d bytes of a question pass", n)
		}
	}
}
