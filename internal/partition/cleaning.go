package partition

import (
	"errors"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/compaction"
	"github.com/ottla/ottla/internal/kafka"
)

// What a cleaner does to its partition: under upkeep where files come and go, and under the leaf lock where readers see it.

// measure finds what there is to clean of the partition, and whether it should be now.
func (p *Partition) measure(now time.Time) (work compaction.Work, due bool, err error) {
	config := p.config.Load()
	if !config.Compacted || p.state.Load() != online || p.uncleanable.Load() || p.cleaning.Load() || p.move.Load() != nil {
		return work, false, nil
	}
	log, err := p.log().Survey(config.Compaction, &config.Log)
	if err != nil {
		return work, false, err
	}
	log.LastStable = p.LastStableOffset()
	work = compaction.Measure(&log, now.UnixMilli())
	return work, work.Due(&config.Compaction), nil
}

// beginCleaning flushes the log, so that what is replaced and what the flusher still has to do are not the same, and begins.
func (p *Partition) beginCleaning(o commitlog.Cleaning) (*commitlog.Compaction, error) {
	p.upkeep.Lock()
	defer p.upkeep.Unlock()
	if p.state.Load() != online {
		return nil, errLeft
	}
	if _, err := p.log().Flush(); err != nil {
		return nil, err
	}
	config := p.config.Load()
	o.Config, o.DeleteRetention = config.Log, config.Compaction.DeleteRetention
	o.HighWatermark, o.Producers = p.HighWatermark(), p.lastBatches()
	return p.log().Compact(o)
}

// lastBatches returns what compaction must keep of the producers.
func (p *Partition) lastBatches() map[kafka.ProducerID]compaction.LastBatch {
	p.mu.Lock()
	defer p.mu.Unlock()
	state := p.log().Producers()
	all := make(map[kafka.ProducerID]compaction.LastBatch, state.Len())
	state.Last(func(id kafka.ProducerID, last kafka.Offset, epoch int16) {
		all[id] = compaction.LastBatch{Offset: last, Epoch: epoch}
	})
	return all
}

// errLeft says that a log was left by its partition while it was cleaned, or is about to be: it was deleted, its directory
// failed, or it moves to another one. Who copies a log must not miss a tombstone that is removed from it meanwhile.
var errLeft = errors.New("the log is left")

func (p *Partition) left(c *commitlog.Compaction) bool {
	return p.state.Load() != online || p.move.Load() != nil || c.Log() != p.log()
}

// clean does one step of a cleaning. Steps that make files are done under upkeep: the folder must stay.
func (p *Partition) clean(c *commitlog.Compaction, now time.Time) (commitlog.Progress, error) {
	if p.left(c) {
		return commitlog.Progress{}, errLeft
	}
	if c.Indexing() {
		return c.Step()
	}
	p.upkeep.Lock()
	defer p.upkeep.Unlock()
	if p.left(c) {
		return commitlog.Progress{}, errLeft
	}
	progress, err := c.Step()
	if err != nil || !progress.Ready {
		return progress, err
	}
	if err := p.swap(c, now); err != nil {
		return progress, err
	}
	return progress, p.log().FinishSwap()
}

func (p *Partition) swap(c *commitlog.Compaction, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log().Swap(c, now)
}

// cleaned notes that the log, if it still is the partition's, is clean below end.
func (p *Partition) cleaned(log *commitlog.Log, end kafka.Offset) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.log() == log {
		log.SetCleaned(end)
	}
}

// giveUp ends a cleaning. Files that it made aside go, unless the folder is another one's by now; the next start removes them, too.
func (p *Partition) giveUp(c *commitlog.Compaction) {
	p.upkeep.Lock()
	defer p.upkeep.Unlock()
	if p.state.Load() == online && c.Log() == p.log() {
		_ = c.Close()
	} else {
		c.Abandon()
	}
}

// saveCleaned checkpoints how far the logs of the directory are clean.
func (d *logDir) saveCleaned() error {
	d.files.Lock()
	defer d.files.Unlock()
	all := d.partitions()
	return d.saveHeld(checkpoint.Cleaner, all, func(i int) kafka.Offset {
		if end := all[i].log().Cleaned(); end > 0 {
			return end
		}
		return kafka.NoOffset
	})
}
