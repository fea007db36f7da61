package segment

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/ottla/ottla/internal/vfs"
)

// Cache bounds what idle segments hold: open files and loaded indexes. One cache serves all logs of a node.
type Cache struct {
	files   clock
	indexes clock
}

// NewCache returns a cache of at most maxFiles open files and maxIndexBytes of loaded indexes. Both are soft: what is being used, and
// an index that is not yet in its file, stays.
func NewCache(maxFiles int, maxIndexBytes int64) *Cache {
	return &Cache{files: clock{limit: int64(maxFiles)}, indexes: clock{limit: maxIndexBytes}}
}

// OpenFiles returns how many files are held open, counting ones of removed segments until the cache comes across them.
func (c *Cache) OpenFiles() int {
	c.files.mu.Lock()
	defer c.files.mu.Unlock()
	return len(c.files.ring)
}

// resident is something that a clock may drop.
type resident interface {
	// touched reports whether it was used since the last call, or must stay.
	touched() bool
	// evict drops it from its owner.
	evict()
	weight() int64
}

// clock drops what was not used for one turn of its hand when the limit is passed.
type clock struct {
	mu    sync.Mutex // guards everything below
	limit int64
	total int64
	ring  []slot
	hand  int
}

type slot struct {
	resident
	weight int64
}

func (c *clock) add(r resident) {
	for _, v := range c.insert(slot{r, r.weight()}) {
		v.evict() // outside the lock: it may close a file
	}
}

// insert adds s and takes out what has to go: never s, and at most one turn of the hand.
func (c *clock) insert(s slot) (victims []resident) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for steps := 2 * len(c.ring); c.total+s.weight > c.limit && len(c.ring) > 0 && steps > 0; steps-- {
		if c.hand >= len(c.ring) {
			c.hand = 0
		}
		v := c.ring[c.hand]
		if v.touched() {
			c.hand++
			continue
		}
		victims = append(victims, v.resident)
		c.total -= v.weight
		last := len(c.ring) - 1
		c.ring[c.hand] = c.ring[last]
		c.ring[last] = slot{}
		c.ring = c.ring[:last]
	}
	c.ring = append(c.ring, s)
	c.total += s.weight
	return victims
}

// Handle is an open data file. It stays open until everybody who has it, and the cache, released it. A file that was written may be
// closed before it is synced: Linux tells the next descriptor that syncs it about a failed write that nobody has seen.
type Handle struct {
	file vfs.File
	seg  *Segment
	refs atomic.Int64
	used atomic.Bool
}

// acquire takes another reference, unless the file is being closed.
func (h *Handle) acquire() bool {
	for {
		n := h.refs.Load()
		if n == 0 {
			return false
		}
		if h.refs.CompareAndSwap(n, n+1) {
			if !h.used.Load() {
				h.used.Store(true)
			}
			return true
		}
	}
}

// Release gives the reference back.
func (h *Handle) Release() {
	if h.refs.Add(-1) == 0 {
		_ = h.file.Close() // nothing depends on it: what must be durable was synced
	}
}

// ReadAt implements io.ReaderAt on the file.
func (h *Handle) ReadAt(p []byte, offset int64) (int, error) { return h.file.ReadAt(p, offset) }

// Descriptor returns the operating system's descriptor, good until Release, and false if the file has none.
func (h *Handle) Descriptor() (uintptr, bool) {
	d, ok := h.file.(vfs.Descriptor)
	if !ok {
		return 0, false
	}
	return d.Descriptor(), true
}

func (h *Handle) touched() bool { return h.used.Swap(false) }

func (h *Handle) evict() {
	if h.seg.handle.CompareAndSwap(h, nil) {
		h.Release()
	}
}

func (h *Handle) weight() int64 { return 1 }

var _ io.ReaderAt = (*Handle)(nil)
