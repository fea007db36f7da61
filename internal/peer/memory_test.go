package peer

import "testing"

// One answer after the other has the same memory; what is large is given back when small answers have come for a while.
func TestAnswersShareMemory(t *testing.T) {
	m := memory{reuse: true}
	read := func(n int) []byte {
		b := m.take(n)
		if cap(b) < n {
			b = make([]byte, 0, n)
		}
		m.keep(b[:n])
		return b[:n]
	}
	large := read(1 << 20)
	if again := read(1 << 20); &again[0] != &large[0] {
		t.Error("the second answer has memory of its own")
	}
	for range patience {
		if small := read(100); &small[0] != &large[0] {
			t.Fatal("the memory was given back too early")
		}
	}
	read(1 << 20)
	for range patience + 1 {
		read(100)
	}
	if cap(m.spare) > 1000 {
		t.Errorf("%d bytes are kept for answers of 100", cap(m.spare))
	}
	m = memory{}
	if first, second := read(100), read(100); &first[0] == &second[0] {
		t.Error("answers share memory, and nobody has said that they may")
	}
}
