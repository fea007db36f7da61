package vfs

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
)

// sector is the unit in which a disk keeps or loses what was not synced, in bytes.
const sector = 512

// fileOp is a change of a file's content: bytes at an offset, or a new size.
type fileOp struct {
	offset   int64
	bytes    []byte
	truncate bool
}

func (o fileOp) apply(content []byte) []byte {
	if o.truncate {
		if o.offset <= int64(len(content)) {
			return content[:o.offset]
		}
		return extend(content, o.offset)
	}
	content = extend(content, o.offset+int64(len(o.bytes)))
	copy(content[o.offset:], o.bytes)
	return content
}

func extend(content []byte, size int64) []byte {
	if grow := size - int64(len(content)); grow > 0 {
		old := len(content)
		content = slices.Grow(content, int(grow))[:size]
		clear(content[old:])
	}
	return content
}

// nameOp is a change of a folder that a disk does whole or not at all; a nil node removes the name.
type nameOp []struct {
	name string
	node *node
}

func (o nameOp) apply(children map[string]*node) {
	for _, set := range o {
		if set.node == nil {
			delete(children, set.name)
		} else {
			children[set.name] = set.node
		}
	}
}

// change does op and, with tracking, remembers it until the next sync.
func (m *Mem) change(n *node, op fileOp) {
	n.content = op.apply(n.content)
	n.modTime = m.now
	if m.track {
		op.bytes = bytes.Clone(op.bytes)
		n.pending = append(n.pending, op)
	}
}

func (m *Mem) setNames(dir *node, op nameOp) {
	op.apply(dir.children)
	if m.track {
		dir.pendingNames = append(dir.pendingNames, op)
	}
}

// NewCrash returns an empty file system whose CrashClone can be asked what a power cut would leave.
func NewCrash() *Mem {
	m := NewMem()
	m.track = true
	return m
}

// CrashClone returns the file system as a power cut at this moment might leave it: everything that was synced, and of what was not,
// each sector of each write, each truncation and each change of a folder with keep percent probability, drawn from rng: 0 is the
// least that a disk may keep, 100 is what a killed process leaves. The clone tracks too; m goes on unchanged. Only for what NewCrash made.
func (m *Mem) CrashClone(rng *rand.Rand, keep int) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &cloner{rng: rng, keep: keep, done: map[*node]*node{}}
	clone := NewCrash()
	clone.now = m.now
	clone.root = c.clone(m.root)
	return clone
}

type cloner struct {
	rng  *rand.Rand
	keep int
	done map[*node]*node // one node may have had two names
}

func (c *cloner) kept() bool { return c.keep >= 100 || c.keep > 0 && c.rng.IntN(100) < c.keep }

func (c *cloner) clone(n *node) *node {
	if done := c.done[n]; done != nil {
		return done
	}
	to := &node{dir: n.dir, modTime: n.modTime}
	c.done[n] = to
	if !n.dir {
		to.synced = c.content(n)
		to.content = bytes.Clone(to.synced)
		return to
	}
	names := maps.Clone(n.syncedChildren)
	if names == nil {
		names = map[string]*node{}
	}
	for _, op := range n.pendingNames {
		if c.kept() {
			op.apply(names)
		}
	}
	to.children = make(map[string]*node, len(names))
	for _, name := range slices.Sorted(maps.Keys(names)) { // in order: the clone draws from rng
		to.children[name] = c.clone(names[name])
	}
	to.syncedChildren = maps.Clone(to.children)
	return to
}

func (c *cloner) content(n *node) []byte {
	content := bytes.Clone(n.synced)
	for _, op := range n.pending {
		if op.truncate || c.keep >= 100 {
			if c.kept() {
				content = op.apply(content)
			}
			continue
		}
		for at := 0; at < len(op.bytes); {
			end := min(len(op.bytes), at+sector-int((op.offset+int64(at))%sector))
			if c.kept() {
				content = fileOp{offset: op.offset + int64(at), bytes: op.bytes[at:end]}.apply(content)
			}
			at = end
		}
	}
	return content
}
