package sim

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/vfs"
)

// die ends the process at once.
func (n *node) die(format string, args ...any) {
	if n.p == nil {
		return
	}
	n.w.tell(format, args...)
	if n.p.failed != nil && !vfs.Passes(n.p.failed) {
		_ = checkpoint.WriteStart(n.disk, dataDir, checkpoint.Start{Epoch: kafka.NoBrokerEpoch}) // as package node does: what was written may be lost
		n.disk = n.disk.CrashClone(n.w.rng, 50)
		n.replaceDisk()
	}
	n.gone()
}

func (n *node) replaceDisk() {
	n.broken = false
	n.faulty = newFaulty(n)
}

// gone forgets the process; the others hear of it, as of a connection that is refused, or don't.
func (n *node) gone() {
	n.p, n.paused, n.missed, n.wake = nil, false, nil, 0
	n.life++
	for _, other := range n.w.nodes {
		if other == n || n.w.chance(0.5) {
			continue
		}
		n.w.send(n.id, other.id, func() { other.do(func() { other.lost(n) }) })
	}
}

// lost takes in that the process of another node has ended.
func (n *node) lost(other *node) {
	if other.up() {
		return // its successor listens already
	}
	n.p.quorum.Gone(kafka.NodeID(other.id))
	n.p.fence(other.id)
}

// cutPower ends the process and takes from the disk what was not synced, or a part of it.
func (n *node) cutPower(keep int) {
	n.disk = n.disk.CrashClone(n.w.rng, keep)
	n.boots++
	n.replaceDisk()
	n.gone()
}

// start starts a process where there is none. One that can't, because of its disk, is tried again later.
func (n *node) start() {
	if n.up() {
		return
	}
	n.w.tell("node %d starts", n.id)
	if err := n.open(); err != nil {
		n.w.tell("node %d does not start: %v", n.id, err)
		if errors.Is(err, quorum.ErrDamaged) {
			n.w.fail("node %d finds its metadata damaged: %v", n.id, err)
		}
		n.p = nil
		n.life++
		n.w.after(300*time.Millisecond, "", n.start)
	}
}

// shutDown ends the process in order.
func (n *node) shutDown() {
	p := n.p
	p.stepping = true
	clean, err := p.partitions.Close()
	if err == nil {
		for range clean {
			err = checkpoint.WriteClean(n.faulty, dataDir, p.member.epoch)
		}
	}
	if stopped := p.steps.Stop(n.clock()); err == nil {
		err = stopped
	}
	if err != nil {
		n.w.tell("node %d does not stop in order: %v", n.id, err)
		p.failed = err
		n.die("node %d fails", n.id)
		return
	}
	n.gone()
}

// fetchSnapshot copies another voter's snapshot, if that can be reached: what takes a while in a cluster happens at once here.
func (n *node) fetchSnapshot(_ context.Context, from kafka.NodeID, id quorum.SnapshotID, to io.Writer) error {
	source := n.w.nodes[from]
	if !n.reaches(source) {
		return errTimeout
	}
	n.w.sometimes("metadata snapshot fetched")
	snapshot, err := source.p.quorum.OpenSnapshot(id)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	_, err = io.Copy(to, io.NewSectionReader(snapshot, 0, snapshot.Size()))
	return err
}

// reaches reports whether another node would answer this one.
func (n *node) reaches(other *node) bool {
	return other.up() && !other.paused && !n.w.links[[2]int{n.id, other.id}] && !n.w.links[[2]int{other.id, n.id}]
}

// chanceOfRaft is what Raft draws its election timeouts from: a global reader, which one world at a time has for its own.
var chanceOfRaft struct {
	mu sync.Mutex // guards crypto/rand's Reader
}

// pinned runs something that lets Raft draw.
func (w *World) pinned(run func()) {
	chanceOfRaft.mu.Lock()
	defer chanceOfRaft.mu.Unlock()
	before := rand.Reader
	rand.Reader = &drawn{w.rng}
	defer func() { rand.Reader = before }()
	run()
}

// drawn is a reader of random bytes.
type drawn struct{ rng *mathrand.Rand }

// Read implements io.Reader.
func (d *drawn) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(d.rng.Uint32())
	}
	return len(p), nil
}
