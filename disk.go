package ottla

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/ottla/ottla/internal/vfs"
)

// Disk is what a node keeps its files on. What is set stays when the node is killed or started.
type Disk struct {
	mu      sync.Mutex // a leaf: guards what follows
	fs      vfs.FS
	full    bool
	broken  bool
	delay   time.Duration
	resumed chan struct{} // closed when the node goes on; nil unless it is paused
}

func newDisk(o options) *Disk {
	switch {
	case o.dir != "":
		return &Disk{fs: vfs.OS{}}
	case o.powerCuts:
		return &Disk{fs: vfs.NewCrash()}
	}
	return &Disk{fs: vfs.NewMem()}
}

// SetFull says whether the disk is full: what needs room on it fails with ENOSPC.
func (d *Disk) SetFull(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

// SetBroken says whether the disk is broken: all that is done with it fails with EIO.
func (d *Disk) SetBroken(broken bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = broken
}

// SetDelay sets how much longer than usual each write and each sync takes.
func (d *Disk) SetDelay(delay time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delay = delay
}

func (d *Disk) files() vfs.FS {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fs
}

// loseUnsynced does what a power cut does. Nobody uses the files then.
func (d *Disk) loseUnsynced() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m, ok := d.fs.(*vfs.Mem); ok {
		d.fs = m.CrashClone(rand.New(rand.NewPCG(0, 0)), 0)
	}
}

// pause has all that is done with the disk wait.
func (d *Disk) pause() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.resumed == nil {
		d.resumed = make(chan struct{})
	}
}

func (d *Disk) resume() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.resumed != nil {
		close(d.resumed)
		d.resumed = nil
	}
}

// errKilled is what the files say to a process that is dead.
var errKilled = errors.New("the process was killed")

// hook stands before the files of one life of the node.
func (d *Disk) hook(dead <-chan struct{}) vfs.Hook {
	return func(o vfs.Op) error {
		d.mu.Lock()
		resumed, full, broken, delay := d.resumed, d.full, d.broken, d.delay
		d.mu.Unlock()
		if resumed != nil {
			select {
			case <-resumed:
			case <-dead:
			}
		}
		if delay > 0 && slow(o.Kind) {
			t := time.NewTimer(delay)
			defer t.Stop()
			select {
			case <-t.C:
			case <-dead:
			}
		}
		select {
		case <-dead:
			return errKilled
		default:
		}
		switch {
		case broken:
			return fmt.Errorf("%s %s: %w", o.Kind, o.Name, syscall.EIO)
		case full && grows(o.Kind):
			return fmt.Errorf("%s %s: %w: %w", o.Kind, o.Name, vfs.ErrNoSpace, syscall.ENOSPC)
		}
		return nil
	}
}

// slow reports whether an operation goes to the disk at once, or can be made to wait for it.
func slow(k vfs.OpKind) bool {
	switch k {
	case vfs.OpWrite, vfs.OpSync, vfs.OpSyncDir, vfs.OpSyncWhole:
		return true
	}
	return false
}

// grows reports whether an operation needs room.
func grows(k vfs.OpKind) bool {
	switch k {
	case vfs.OpWrite, vfs.OpCreate, vfs.OpMkdir, vfs.OpPreallocate:
		return true
	}
	return false
}
