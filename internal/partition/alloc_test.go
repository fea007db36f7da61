//go:build !race

package partition

import (
	"bytes"
	"testing"

	"github.com/ottla/ottla/internal/vfs"
)

// The race detector empties pools at random, so that allocations are counted without it.

func TestAppendDoesNotAllocateMuch(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	batch := data(t, 1)
	original := bytes.Clone(batch)
	n := testing.AllocsPerRun(200, func() {
		copy(batch, original)
		if _, err := p.Append(AppendRequest{Records: batch, RequiredAcks: -1, Now: w.now}); err != nil {
			t.Fatal(err)
		}
	})
	if n > 2 {
		t.Errorf("%v allocations per append", n)
	}
}
