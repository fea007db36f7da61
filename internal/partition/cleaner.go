package partition

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/compaction"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// CleanerConfig is what the node's configuration says about the cleaners. Sizes and the rate are of all cleaners together.
type CleanerConfig struct {
	Enabled        bool          // log.cleaner.enable
	Threads        int           // log.cleaner.threads
	KeyBytes       int64         // log.cleaner.dedupe.buffer.size
	KeyLoad        float64       // log.cleaner.io.buffer.load.factor: how full the keys may get, from 0 to 1
	BufferBytes    int           // log.cleaner.io.buffer.size
	BytesPerSecond float64       // log.cleaner.io.max.bytes.per.second
	Backoff        time.Duration // log.cleaner.backoff.ms
}

// runCleaners runs as many cleaners as are configured, other ones after each change of the configuration, until ctx is done.
func (m *Manager) runCleaners(ctx context.Context) {
	if m.o.Cleaners == nil {
		return
	}
	for ctx.Err() == nil {
		config := m.o.Cleaners()
		these, stop := context.WithCancel(ctx)
		var running sync.WaitGroup
		for range cleaners(config) {
			running.Go(func() { newCleaner(m, config).run(these) })
		}
		for same := true; same; same = ctx.Err() == nil && m.o.Cleaners() == config {
			select {
			case <-ctx.Done():
			case <-m.reconfigured:
			}
		}
		stop()
		running.Wait()
	}
}

// cleaners returns how many cleaners there are to be.
func cleaners(c CleanerConfig) int {
	if !c.Enabled {
		return 0
	}
	return c.Threads
}

// cleaner cleans one log after another. Its loop owns it.
type cleaner struct {
	m      *Manager
	config CleanerConfig // its own share
	limit  throttle

	// Of the log that is being cleaned; p is nil without one.
	p      *Partition
	mine   bool // p is marked as being cleaned
	work   *commitlog.Compaction
	from   kafka.Offset
	free   func() // gives the memory of the keys back
	began  time.Time
	pauses time.Duration
}

func newCleaner(m *Manager, config CleanerConfig) *cleaner {
	n := max(1, config.Threads)
	config.KeyBytes = min(config.KeyBytes/int64(n), math.MaxInt32)
	config.BufferBytes = max(config.BufferBytes/n/2, leastBuffer) // one for reads and one for writes
	return &cleaner{m: m, config: config, limit: throttle{rate: config.BytesPerSecond / float64(n)}}
}

// leastBuffer is the least that is read at once, in bytes.
const leastBuffer = 4 << 10

// run cleans until ctx is done.
func (c *cleaner) run(ctx context.Context) {
	defer c.letGo()
	timer := time.NewTimer(c.step(c.m.o.Now()))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(c.step(c.m.o.Now()))
		}
	}
}

// step goes on with a log, or begins with one, and returns how long the next step may wait.
func (c *cleaner) step(now time.Time) time.Duration {
	if c.p == nil {
		if err := c.begin(now); err != nil {
			return c.failed(err)
		}
		if c.p == nil {
			return c.config.Backoff
		}
	}
	progress, err := c.p.clean(c.work, now)
	if err != nil {
		return c.failed(err)
	}
	if progress.Done {
		return c.finish()
	}
	pause := c.limit.take(progress.Bytes, now)
	c.pauses += pause
	return pause
}

// begin takes the log that needs it most, if one needs it.
func (c *cleaner) begin(now time.Time) error {
	var best compaction.Work
	for _, p := range c.m.sorted() {
		work, due, err := p.measure(now)
		if err != nil {
			c.p = p
			return err
		}
		if due && (c.p == nil || work.Ratio() > best.Ratio()) {
			c.p, best = p, work
		}
	}
	if c.p == nil || !c.p.cleaning.CompareAndSwap(false, true) {
		c.p = nil
		return nil
	}
	c.mine, c.began, c.from, c.pauses = true, now, best.From, 0
	keys, err := c.keys(best)
	if err != nil {
		return err
	}
	c.work, err = c.p.beginCleaning(commitlog.Cleaning{From: best.From, To: best.To, Keys: keys, Now: now, BufferBytes: c.config.BufferBytes})
	return err
}

// keys returns an empty map for the keys of the work: as large as they can need, with room so that searches are short, and not larger than configured.
func (c *cleaner) keys(w compaction.Work) (*compaction.Keys, error) {
	size := c.config.KeyBytes
	if slots := min(int64(w.To-w.From), math.MaxInt32) * 5 / 4; slots < size/compaction.SlotBytes { // no more keys than offsets
		size = slots * compaction.SlotBytes
	}
	memory, free, err := vfs.Memory(int(max(size, compaction.SlotBytes)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoMemory, err)
	}
	c.free = free
	return compaction.NewKeys(memory, c.config.KeyLoad, compaction.Seeds()), nil
}

// finish notes how far the log is clean.
func (c *cleaner) finish() time.Duration {
	p, end := c.p, c.work.End()
	p.cleaned(c.work.Log(), end)
	err := p.dir().saveCleaned()
	keys, records := c.work.Indexed()
	read, kept, readBytes, keptBytes := c.work.Counts()
	c.m.o.Log.Info("log cleaned", "partition", p.id, "from", c.from, "to", end, "keys", keys, "dirty_records", records, "records_read", read,
		"records_kept", kept, "bytes_read", readBytes, "bytes_kept", keptBytes, "took", c.m.o.Now().Sub(c.began), "throttled", c.pauses)
	if err != nil {
		return c.failed(err)
	}
	c.letGo()
	return 0
}

// failed decides on an error, and returns how long to wait.
func (c *cleaner) failed(err error) time.Duration {
	p := c.p
	switch {
	case p.state.Load() != online, errors.Is(err, errLeft), c.work != nil && p.left(c.work), errors.Is(err, commitlog.ErrOvertaken):
	case errors.Is(err, commitlog.ErrUncleanable):
		p.uncleanable.Store(true)
		c.m.o.Log.Error("a log can't be cleaned, and is left alone until the node starts again", "partition", p.id, "err", err)
	case vfs.Passes(err), errors.Is(err, errNoMemory):
		c.m.o.Log.Warn("a log was not cleaned", "partition", p.id, "err", err)
	default:
		_ = p.storageFailure(err)
	}
	c.letGo()
	return c.config.Backoff
}

// letGo gives back what the log in work took.
func (c *cleaner) letGo() {
	if c.work != nil {
		c.p.giveUp(c.work)
	}
	if c.free != nil {
		c.free()
	}
	if c.mine {
		c.p.cleaning.Store(false)
	}
	c.p, c.mine, c.work, c.free = nil, false, nil, nil
}

// errNoMemory says that there is none for the keys.
var errNoMemory = errors.New("no memory for the keys of a cleaning")
