package observer_test

import (
	"bytes"
	"testing"

	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
)

// snapshotOf is the snapshot that a node writes which follows the log to its end.
func snapshotOf(t *testing.T, c *controllers) []byte {
	t.Helper()
	c.every = 1
	f := c.follow(vfs.NewMem())
	f.has(4)
	c.every = 0
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	b, err := vfs.ReadFile(f.fs, "/__cluster_metadata-0/00000000000000000005-0000000001.checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFetchesASnapshot: a node whose end is no more in the leader's log begins with a snapshot, and goes on behind it. One that was damaged on its way,
// or is not whole, changes nothing, and is fetched again.
func TestFetchesASnapshot(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"whole":          nil,
		"a flipped bit":  func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"without an end": func(b []byte) []byte { return b[:len(b)/2] },
		"noise":          func(b []byte) []byte { return bytes.Repeat([]byte{7}, len(b)) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newControllers(t)
			c.leads(1)
			c.change(func() { c.append(4); c.high = 5 })
			whole := snapshotOf(t, c)
			c.change(func() {
				c.start, c.snap = 5, whole
				if spoil != nil {
					c.snap = spoil(bytes.Clone(whole))
				}
			})
			f := c.follow(vfs.NewMem())
			if spoil != nil {
				testkit.Eventually(t, "it has asked again", func() bool {
					c.mu.Lock()
					defer c.mu.Unlock()
					return c.pieces > 2
				})
				if got := f.Image().Offset; got >= 0 {
					t.Errorf("the image is of offset %d", got)
				}
				c.change(func() { c.snap = whole })
			}
			f.has(4)
			c.change(func() { c.append(1); c.high = 6 })
			f.has(5)
			if err := f.stop(); err != nil {
				t.Errorf("it ends with %v", err)
			}
		})
	}
}
